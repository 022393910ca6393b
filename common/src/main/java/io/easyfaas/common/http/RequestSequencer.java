package io.easyfaas.common.http;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.util.ReferenceCountUtil;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
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

  // How long a refused client may go on sending. Closing at once would reset the connection, and
  // the client would lose the answer that says why (RFC 9112 §9.6).
  private static final int LINGER_SECONDS = 10;

  private final long idleNanos;
  private final ArrayDeque<Object> waiting = new ArrayDeque<>();
  private @Nullable Object next;
  private boolean busy;
  private boolean last;
  private boolean closing;
  private long answeredAt = System.nanoTime();

  RequestSequencer(Duration idle) {
    this.idleNanos = idle.toNanos();
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    if (closing) {
      ReferenceCountUtil.release(message);
    } else if (busy) {
      waiting.add(message);
      if (waiting.size() == MAX_WAITING || message instanceof Refusal) {
        ctx.channel().config().setAutoRead(false);
      }
    } else {
      busy = true;
      next = message;
      resume(ctx);
    }
  }

  /// Whether a request is being answered or waits for that.
  boolean isBusy() {
    return busy;
  }

  @Override
  public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
    if (message instanceof HttpMessage head && !HttpUtil.isKeepAlive(head)) {
      closing = true;
    }
    if (message instanceof WholeAnswer whole && whole.persistence() == Persistence.CLOSE) {
      closing = true;
    }
    ctx.write(message, promise);
    if (message instanceof LastHttpContent || message instanceof WholeAnswer) {
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
        ctx.channel().config().setAutoRead(true);
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
    ctx.channel().config().setAutoRead(true);
    ctx.writeAndFlush(NettyHttp.response(response, false))
        .addListener(_ -> {
          if (ctx.channel() instanceof DuplexChannel channel && channel.isActive()) {
            channel.shutdownOutput().addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
            ctx.executor().schedule(() -> ctx.close(), LINGER_SECONDS, TimeUnit.SECONDS);
          }
        });
  }

  private void releaseWaiting() {
    ReferenceCountUtil.release(next);
    next = null;
    waiting.forEach(ReferenceCountUtil::release);
    waiting.clear();
  }
}
