/// One account of the bytes that come from or go to outside and are not yet handed on: request
/// bodies, answers that are not written, output and uploads on their way, cached documents.
///
/// Bytes are reserved before they are read, so that no client and no tenant can use up the memory
/// of the engine: what does not fit waits, and is refused when it waited too long. This package
/// counts; it holds no bytes and knows nothing of connections.
@NullMarked
package io.easyfaas.common.budget;

import org.jspecify.annotations.NullMarked;
