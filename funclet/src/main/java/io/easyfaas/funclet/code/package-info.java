/// Function code on disk: fetched, verified, unpacked once, and kept by its hash.
///
/// An archive is a tenant's bytes: everything about it is checked before a file is made, and what
/// is made becomes visible in one rename. Nothing here mounts or runs code. State lives in the
/// cache directory; what is in memory (pins, ages, sizes) can be lost.
@NullMarked
package io.easyfaas.funclet.code;

import org.jspecify.annotations.NullMarked;
