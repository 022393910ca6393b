package io.easyfaas.common.http;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.HttpResponseEncoder;

/// Encodes answers, and unwraps those that are encoded already. Confined to the connection's event
/// loop.
final class AnswerEncoder extends HttpResponseEncoder {
  @Override
  @SuppressWarnings("FutureReturnValueIgnored") // The promise tells.
  public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise)
      throws Exception {
    if (message instanceof WholeAnswer answer) {
      ctx.write(answer.take(), promise);
    } else {
      super.write(ctx, message, promise);
    }
  }
}
