@NullMarked
package io.easyfaas.cli;

import org.jspecify.annotations.NullMarked;
