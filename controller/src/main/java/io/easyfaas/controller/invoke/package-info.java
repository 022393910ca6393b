/// The invoke path: from the bytes of an HTTP request to a call in a runner and back.
///
/// The warm path runs to completion on the event loop: nothing here blocks, parses a payload or
/// takes a lock but the pool's. A function that is not in the cache is looked up on a virtual
/// thread; everything after that is back on the connection's loop.
@NullMarked
package io.easyfaas.controller.invoke;

import org.jspecify.annotations.NullMarked;
