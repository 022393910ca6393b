/// The registry's rules and its HTTP routes: names, owners, limits, versions, runtimes.
///
/// Holds no state of its own; functions live in `store`, runtimes in the data directory.
@NullMarked
package io.easyfaas.stubs.registry;

import org.jspecify.annotations.NullMarked;
