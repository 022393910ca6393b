package io.easyfaas.common.http;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.HttpResponseEncoder;

/// Encodes answers, unwraps those that are encoded already, and lets bytes through that are no
/// answer (`100 Continue`). Confined to the connection's event loop.
final class AnswerEncoder extends HttpResponseEncoder {
  @Override
  @SuppressWarnings("FutureReturnValueIgnored") // The promise tells.
  public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise)
      throws Exception {
    if (message instanceof WholeAnswer answer) {
      ctx.write(answer.take(), promise);
    } else if (message instanceof ByteBuf) {
      ctx.write(message, promise);
    } else {
      super.write(ctx, message, promise);
    }
  }
}
