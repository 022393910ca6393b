@NullMarked
package io.easyfaas.controller.pool;

import org.jspecify.annotations.NullMarked;
