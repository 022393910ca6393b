package io.easyfaas.common.http;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.util.ArrayDeque;

/// Lets one request of a connection through at a time, so that the answers to pipelined requests
/// come in order (RFC 9112 §9.3.2) whoever makes them. Requests that wait are bounded: past the
/// limit the socket is not read. Confined to the connection's event loop.
@SuppressWarnings("FutureReturnValueIgnored") // A failed write closes the channel.
public final class RequestSequencer extends ChannelDuplexHandler {
  private static final int MAX_WAITING = 8;

  private final ArrayDeque<FullHttpRequest> waiting = new ArrayDeque<>();
  private boolean busy;

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    if (!busy) {
      busy = true;
      ctx.fireChannelRead(message);
      return;
    }
    waiting.add((FullHttpRequest) message);
    if (waiting.size() == MAX_WAITING) {
      ctx.channel().config().setAutoRead(false);
    }
  }

  @Override
  public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
    // A buffer is a whole encoded answer, see AnswerEncoder.
    ctx.write(message, promise);
    if (message instanceof LastHttpContent || message instanceof ByteBuf) {
      FullHttpRequest next = waiting.poll();
      if (next == null) {
        busy = false;
        return;
      }
      if (waiting.size() == MAX_WAITING - 1) {
        ctx.channel().config().setAutoRead(true);
      }
      // Why not at once: the handler that is writing now must return before it is called again.
      ctx.executor().execute(() -> ctx.fireChannelRead(next));
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    waiting.forEach(ReferenceCountUtil::release);
    waiting.clear();
    ctx.fireChannelInactive();
  }
}
