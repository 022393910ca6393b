package io.easyfaas.common.http;

import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.FullHttpRequest;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Offers a connection's requests, one at a time, to a {@link LoopHandler}, and writes its answers.
/// Confined to the connection's event loop.
@SuppressWarnings("FutureReturnValueIgnored") // A failed write closes the channel.
final class LoopRequests extends ChannelInboundHandlerAdapter implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(LoopRequests.class);

  private final LoopHandler handler;
  private final AtomicBoolean draining;
  private @Nullable ChannelHandlerContext context;
  private @Nullable Exchange exchange;
  private boolean awaited;
  private boolean flushQueued;

  /// @param draining whether answers end their connections, whatever clients ask for
  LoopRequests(LoopHandler handler, AtomicBoolean draining) {
    this.handler = handler;
    this.draining = draining;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    context = ctx;
    exchange = new Exchange(this, ctx, draining);
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    if (!(message instanceof FullHttpRequest request)) {
      ctx.fireChannelRead(message);
      return;
    }
    Exchange next = exchange();
    next.next(request);
    awaited = true;
    boolean taken;
    try {
      taken = handler.take(next);
    } catch (RuntimeException | Error e) {
      LOG.error("{} {} failed", request.method(), request.uri(), e);
      next.takeBody().release();
      next.answer(HttpResponse.error(e));
      return;
    }
    if (!taken) {
      close();
      ctx.fireChannelRead(message);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    Runnable left = close();
    if (left != null) {
      left.run();
    }
    ctx.fireChannelInactive();
  }

  /// Whether an answer is still waited for.
  boolean isAwaited() {
    return awaited;
  }

  /// Writes the last part of an answer, or a whole one. It is sent at the end of the loop's turn.
  void finish(Object message, Persistence persistence) {
    close();
    ChannelHandlerContext ctx = context();
    if (persistence == Persistence.CLOSE) {
      ctx.writeAndFlush(message).addListener(ChannelFutureListener.CLOSE);
      return;
    }
    ctx.write(message, ctx.voidPromise());
    flushLater(ctx);
  }

  /// Writes a part of an answer that is not the last.
  ChannelFuture write(Object message) {
    ChannelHandlerContext ctx = context();
    ChannelFuture written = ctx.write(message);
    flushLater(ctx);
    return written;
  }

  @Override
  public void run() {
    flushQueued = false;
    context().flush();
  }

  private void flushLater(ChannelHandlerContext ctx) {
    if (!flushQueued) {
      flushQueued = true;
      ctx.executor().execute(this);
    }
  }

  private @Nullable Runnable close() {
    awaited = false;
    return exchange().close();
  }

  private Exchange exchange() {
    Exchange mine = exchange;
    if (mine == null) {
      throw new IllegalStateException("not in a pipeline");
    }
    return mine;
  }

  private ChannelHandlerContext context() {
    ChannelHandlerContext ctx = context;
    if (ctx == null) {
      throw new IllegalStateException("not in a pipeline");
    }
    return ctx;
  }
}
