/// HTTP/1.1 on Netty for every process: a server and a client over TCP or a unix socket.
///
/// Handlers are straight-line blocking code on virtual threads; only the few classes here and the
/// controller's invoke path see Netty. A request is held in memory, bounded by the server's limit,
/// but where its route reads the body as a stream; an answer too, but where its body is one.
@NullMarked
package io.easyfaas.common.http;

import org.jspecify.annotations.NullMarked;
