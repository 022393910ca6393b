@NullMarked
package io.easyfaas.controller.runtime;

import org.jspecify.annotations.NullMarked;
