/// What the controller knows about functions: the client of a function registry and the cache in
/// front of it.
///
/// A document is read once and turned into a {@link
/// io.easyfaas.controller.registry.ResolvedFunction} with everything the invoke path needs. A
/// question to the registry blocks, and has a virtual thread; whoever waits for its answer has
/// none, and an event loop may begin to wait.
@NullMarked
package io.easyfaas.controller.registry;

import org.jspecify.annotations.NullMarked;
