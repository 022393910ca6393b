package io.easyfaas.common.http;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/// Lets one request of a connection through at a time, so that the answers to pipelined requests
/// come in order (RFC 9112 §9.3.2) whoever makes them. Meanwhile nothing more is parsed. Nothing is
/// let through after an answer with `Connection: close`.
///
/// Closes a connection on which there was no request for the idle time. One whose client has closed
/// its side is kept until all it asked for is answered; a client that is gone altogether looks the
/// same (RFC 9293 §3.6), so one that has to wait is told `100 Continue` (RFC 9110 §15.2): if nobody
/// is there, its system answers with a reset. Confined to the connection's event loop.
@SuppressWarnings("FutureReturnValueIgnored") // A failed write closes the channel.
public final class RequestSequencer extends ChannelDuplexHandler {
  private static final int PROBE_MILLIS = 500;
  private static final int TCP_CLOSE = 7; // Of a connection that was reset, see tcp_states.h.
  private static final long MIN_IDLE_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final ByteBuf PROBE =
      Unpooled.unreleasableBuffer(
          Unpooled.wrappedBuffer("HTTP/1.1 100 Continue\r\n\r\n".getBytes(US_ASCII)));

  private final long idleNanos;
  private final ReadGate gate;
  private final ConnectionLimit connections;
  private final BooleanSupplier isReading;
  private final RequestDecoder decoder;
  private @Nullable Object next;
  private @Nullable Object afterIt; // A refusal: nothing else is passed on while one is answered.
  private boolean busy;
  private boolean last;
  private boolean closing;
  private boolean inputEnded;
  private boolean mayProbe;
  private long answeredAt = System.nanoTime();
  private @Nullable Future<?> idleTimer;

  /// @param isReading whether part of the next request is here
  /// @param decoder is told when the next one may be parsed
  RequestSequencer(
      Duration idle,
      ReadGate gate,
      ConnectionLimit connections,
      BooleanSupplier isReading,
      RequestDecoder decoder) {
    this.decoder = decoder;
    this.connections = connections;
    this.isReading = isReading;
    this.gate = gate;
    this.idleNanos = idle.toNanos();
  }

  @Override
  public void channelActive(ChannelHandlerContext ctx) {
    watchIdle(ctx, idleNanos);
    ctx.fireChannelActive();
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    if (closing) {
      ReferenceCountUtil.release(message);
    } else if (busy) {
      ReferenceCountUtil.release(afterIt);
      afterIt = message;
      gate.close(ReadGate.Reason.REQUESTS_WAIT);
    } else {
      busy = true;
      next = message;
      resume(ctx);
    }
  }

  /// Whether what comes next has to wait: for the answer before, and until the client has taken
  /// enough of those that are written, since one that asks without reading must not fill the
  /// memory. After the last answer it need not: it is dropped.
  boolean isHoldingUp(Channel channel) {
    return !closing && (busy || !channel.isWritable());
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
    mayProbe = false;
    boolean isEnd = message instanceof LastHttpContent || message instanceof WholeAnswer;
    if (isEnd && inputEnded && afterIt == null && !decoder.hasWaiting()) {
      ctx.write(message, promise.unvoid().addListener(ChannelFutureListener.CLOSE));
    } else {
      ctx.write(message, promise);
    }
    if (isEnd) {
      answeredAt = System.nanoTime();
      closing |= last;
      if (closing) {
        busy = false; // A client that does not take it is idle from now on.
        releaseWaiting();
        return;
      }
      next = afterIt;
      afterIt = null;
      // Why not at once: the handler that is writing now must return before it is called again.
      if (next != null) {
        ctx.executor().execute(() -> resume(ctx));
        return;
      }
      busy = false;
      if (decoder.hasWaiting()) {
        ctx.executor().execute(decoder::goOn);
      }
    }
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    resume(ctx);
    if (decoder.hasWaiting()) {
      ctx.executor().execute(decoder::goOn);
    }
    ctx.fireChannelWritabilityChanged();
  }

  /// Lets the next request through once the client has taken enough of the answers before.
  private void resume(ChannelHandlerContext ctx) {
    Object message = next;
    if (message != null && ctx.channel().isActive() && ctx.channel().isWritable()) {
      next = null;
      begin(ctx, message);
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (ConnectionLimit.MAKE_ROOM.equals(event)) {
      closeIfIdle(ctx, Math.min(MIN_IDLE_NANOS, idleNanos));
    } else if (event instanceof ChannelInputShutdownEvent) {
      boolean isKnown = inputEnded;
      inputEnded = true;
      if (closing || (!busy && !decoder.hasWaiting())) {
        // After what is written and not sent yet.
        ctx.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
      } else if (!isKnown) {
        watchAbsence(ctx);
      }
    }
    ctx.fireUserEventTriggered(event);
  }

  /// Finds out whether a client that has closed its side is there to get its answer.
  private void watchAbsence(ChannelHandlerContext ctx) {
    ctx.executor()
        .schedule(
            () -> {
              if ((!busy && !decoder.hasWaiting()) || !ctx.channel().isActive()) {
                return;
              }
              if (ctx.channel() instanceof EpollSocketChannel tcp
                  && tcp.tcpInfo().state() == TCP_CLOSE) {
                ctx.close();
                return;
              }
              if (mayProbe) {
                mayProbe = false;
                ctx.writeAndFlush(PROBE.duplicate())
                    .addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
              }
              watchAbsence(ctx);
            },
            PROBE_MILLIS,
            TimeUnit.MILLISECONDS);
  }

  private void watchIdle(ChannelHandlerContext ctx, long nanos) {
    idleTimer =
        ctx.executor()
            .schedule(
                () -> {
                  if (!closeIfIdle(ctx, idleNanos)) {
                    long left = idleNanos - (System.nanoTime() - answeredAt);
                    watchIdle(ctx, busy || left <= 0 ? idleNanos : left);
                  }
                },
                nanos,
                TimeUnit.NANOSECONDS);
  }

  private boolean closeIfIdle(ChannelHandlerContext ctx, long nanos) {
    boolean isIdle =
        !busy
            && !isReading.getAsBoolean()
            && ctx.channel().isWritable() // Else it takes an answer: WriteWatch sees to that.
            && System.nanoTime() - answeredAt >= nanos;
    if (isIdle) {
      ctx.close();
    }
    return isIdle;
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    if (idleTimer != null) {
      idleTimer.cancel(false);
    }
    releaseWaiting();
    ctx.fireChannelInactive();
  }

  private void begin(ChannelHandlerContext ctx, Object message) {
    last = message instanceof HttpMessage head && !HttpUtil.isKeepAlive(head);
    mayProbe =
        message instanceof HttpMessage head && head.protocolVersion().equals(HttpVersion.HTTP_1_1);
    if (message instanceof Refusal refusal) {
      refuse(ctx, refusal.response());
    } else {
      ctx.fireChannelRead(message);
    }
  }

  private void refuse(ChannelHandlerContext ctx, HttpResponse response) {
    closing = true;
    busy = false;
    answeredAt = System.nanoTime();
    decoder.giveUp();
    gate.openForAll();
    ctx.writeAndFlush(NettyHttp.response(response, false))
        .addListener(new LingeringClose(gate, connections));
  }

  private void releaseWaiting() {
    decoder.giveUp();
    ReferenceCountUtil.release(next);
    next = null;
    ReferenceCountUtil.release(afterIt);
    afterIt = null;
  }
}
