@NullMarked
package io.easyfaas.controller.engine;

import org.jspecify.annotations.NullMarked;
