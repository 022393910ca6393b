/// The client of funclet's API over its unix socket.
@NullMarked
package io.easyfaas.controller.funclet;

import org.jspecify.annotations.NullMarked;
