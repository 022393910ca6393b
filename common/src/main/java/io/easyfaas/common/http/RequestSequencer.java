package io.easyfaas.common.http;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.util.ReferenceCountUtil;
import java.time.Duration;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/// Lets one request of a connection through at a time, so that the answers to pipelined requests
/// come in order (RFC 9112 §9.3.2) whoever makes them. Requests that wait are bounded: past the
/// limit the socket is not read. Nothing is let through after an answer with `Connection: close`.
///
/// Closes a connection on which no request is in flight once it was silent for the idle time, at
/// the latest after twice that. Confined to the connection's event loop.
@SuppressWarnings("FutureReturnValueIgnored") // A failed write closes the channel.
public final class RequestSequencer extends ChannelDuplexHandler {
  private static final int MAX_WAITING = 8;

  private final long idleNanos;
  private final ReadGate gate;
  private final ArrayDeque<Object> waiting = new ArrayDeque<>();
  private @Nullable Object next;
  private boolean busy;
  private boolean last;
  private boolean closing;
  private long answeredAt = System.nanoTime();

  RequestSequencer(Duration idle, ReadGate gate) {
    this.gate = gate;
    this.idleNanos = idle.toNanos();
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    if (closing) {
      ReferenceCountUtil.release(message);
    } else if (busy) {
      waiting.add(message);
      if (waiting.size() == MAX_WAITING || message instanceof Refusal) {
        gate.close(ReadGate.Reason.REQUESTS_WAIT);
      }
    } else {
      busy = true;
      next = message;
      resume(ctx);
    }
  }

  @Override
  public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
    if (message instanceof HttpMessage head && !HttpUtil.isKeepAlive(head)) {
      closing = true;
    }
    // A buffer is a whole encoded answer, see AnswerEncoder.
    ctx.write(message, promise);
    if (message instanceof LastHttpContent || message instanceof ByteBuf) {
      answeredAt = System.nanoTime();
      closing |= last;
      if (closing) {
        releaseWaiting();
        return;
      }
      next = waiting.poll();
      if (next == null) {
        busy = false;
        return;
      }
      if (waiting.size() == MAX_WAITING - 1) {
        gate.open(ReadGate.Reason.REQUESTS_WAIT);
      }
      // Why not at once: the handler that is writing now must return before it is called again.
      ctx.executor().execute(() -> resume(ctx));
    }
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    resume(ctx);
    ctx.fireChannelWritabilityChanged();
  }

  /// Lets the next request through once the client has taken enough of the answers before: one that
  /// asks without reading must not fill the memory.
  private void resume(ChannelHandlerContext ctx) {
    Object message = next;
    if (message != null && ctx.channel().isActive() && ctx.channel().isWritable()) {
      next = null;
      begin(ctx, message);
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (!(event instanceof IdleStateEvent)) {
      ctx.fireUserEventTriggered(event);
    } else if ((!busy || !ctx.channel().isWritable())
        && System.nanoTime() - answeredAt >= idleNanos) {
      ctx.close();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    releaseWaiting();
    ctx.fireChannelInactive();
  }

  private void begin(ChannelHandlerContext ctx, Object message) {
    last = message instanceof HttpMessage head && !HttpUtil.isKeepAlive(head);
    if (message instanceof Refusal refusal) {
      refuse(ctx, refusal.response());
    } else {
      ctx.fireChannelRead(message);
    }
  }

  private void refuse(ChannelHandlerContext ctx, HttpResponse response) {
    closing = true;
    gate.openForAll();
    ctx.writeAndFlush(NettyHttp.response(response, false)).addListener(new LingeringClose(gate));
  }

  private void releaseWaiting() {
    ReferenceCountUtil.release(next);
    next = null;
    waiting.forEach(ReferenceCountUtil::release);
    waiting.clear();
  }
}
