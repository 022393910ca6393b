@NullMarked
package io.easyfaas.controller.warden;

import org.jspecify.annotations.NullMarked;
