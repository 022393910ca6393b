@NullMarked
package io.easyfaas.controller.funclet;

import org.jspecify.annotations.NullMarked;
