@NullMarked
package io.easyfaas.controller.invoke;

import org.jspecify.annotations.NullMarked;
