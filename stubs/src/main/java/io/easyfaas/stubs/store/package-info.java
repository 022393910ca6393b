/// Functions on disk: one directory a revision, changed atomically and durably.
///
/// Knows files, locks and documents, but no rules: what may be stored and who may change it is
/// decided in `registry`. All state is in the function directory; what is kept in memory is a cache
/// that may be dropped at any time.
@NullMarked
package io.easyfaas.stubs.store;

import org.jspecify.annotations.NullMarked;
