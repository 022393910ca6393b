@NullMarked
package io.easyfaas.controller.registry;

import org.jspecify.annotations.NullMarked;
