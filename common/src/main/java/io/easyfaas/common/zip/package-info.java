/// Reads code archives. The registry and funclet judge by this one reader, so that what one takes
/// the other can unpack.
///
/// An archive is a tenant's bytes: whatever it says is checked before it is believed, and all of
/// its directory before a byte of it is unpacked. Works on a file, with little memory. Writes
/// nothing.
@NullMarked
package io.easyfaas.common.zip;

import org.jspecify.annotations.NullMarked;
