package io.easyfaas.common.http;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.HttpResponseEncoder;

/// Encodes answers, and lets through those a caller has encoded itself: a `ByteBuf` written to the
/// connection is one whole answer, head and body. Confined to the connection's event loop.
final class AnswerEncoder extends HttpResponseEncoder {
  @Override
  @SuppressWarnings("FutureReturnValueIgnored") // The promise tells.
  public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise)
      throws Exception {
    if (message instanceof ByteBuf) {
      ctx.write(message, promise);
    } else {
      super.write(ctx, message, promise);
    }
  }
}
