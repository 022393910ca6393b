/// What the controller knows about functions: the client of a function registry and the cache in
/// front of it.
///
/// A document is read once and turned into a {@link
/// io.easyfaas.controller.registry.ResolvedFunction} with everything the invoke path needs. Nothing
/// here sees an event loop: every look-up blocks and runs on a virtual thread.
@NullMarked
package io.easyfaas.controller.registry;

import org.jspecify.annotations.NullMarked;
