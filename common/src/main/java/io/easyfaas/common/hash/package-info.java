/// Hashes of bytes.
@NullMarked
package io.easyfaas.common.hash;

import org.jspecify.annotations.NullMarked;
