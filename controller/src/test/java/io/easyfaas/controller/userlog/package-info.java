@NullMarked
package io.easyfaas.controller.userlog;

import org.jspecify.annotations.NullMarked;
