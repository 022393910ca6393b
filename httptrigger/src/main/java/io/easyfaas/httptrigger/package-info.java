@NullMarked
package io.easyfaas.httptrigger;

import org.jspecify.annotations.NullMarked;
