@NullMarked
package io.easyfaas.runnerruntime;

import org.jspecify.annotations.NullMarked;
