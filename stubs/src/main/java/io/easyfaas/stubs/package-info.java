@NullMarked
package io.easyfaas.stubs;

import org.jspecify.annotations.NullMarked;
