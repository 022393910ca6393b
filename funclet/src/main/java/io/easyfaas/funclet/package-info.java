@NullMarked
package io.easyfaas.funclet;

import org.jspecify.annotations.NullMarked;
