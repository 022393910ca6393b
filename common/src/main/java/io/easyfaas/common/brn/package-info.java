/// Names of functions: the BRN grammar, account hashing and qualifiers.
///
/// Pure values. This package never does I/O and knows nothing of where functions are stored.
@NullMarked
package io.easyfaas.common.brn;

import org.jspecify.annotations.NullMarked;
