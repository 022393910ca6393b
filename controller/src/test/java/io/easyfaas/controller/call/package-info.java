@NullMarked
package io.easyfaas.controller.call;

import org.jspecify.annotations.NullMarked;
