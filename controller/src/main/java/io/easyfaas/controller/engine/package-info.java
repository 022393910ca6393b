/// The door to this Pod's functions: a call's life from its request to its end, whatever it came in
/// by and wherever its answer goes. Deadline, look-up, owner, slot, log, receipt, counts.
///
/// The warm path runs to completion on the event loop it begins on: nothing here blocks, parses a
/// payload or takes a lock that is held for more than a few steps. A call whose function is not in
/// the cache goes on where its wait for the registry ends. Knows nothing of HTTP.
@NullMarked
package io.easyfaas.controller.engine;

import org.jspecify.annotations.NullMarked;
