package io.easyfaas.common.http;

import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.budget.ByteKind;
import io.easyfaas.common.budget.Reservation;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Accounts for answers until their client has taken them, and closes the connection of one that
/// takes too little: while something waits for it, it must get on in each window, as a body must.
/// Meanwhile it makes way for new connections. Short answers cost a comparison. Next to the socket:
/// it sees bytes. Confined to the connection's event loop.
///
/// An answer is here already, so it is counted whether there is room or not; what comes next waits
/// for it to go.
@SuppressWarnings("FutureReturnValueIgnored") // Closing is all that can be done.
final class WriteWatch extends ChannelDuplexHandler {
  private static final long LOOK_MILLIS = 1000;

  // In the time from look to look: so much, and its connection is no longer the next to make way.
  private static final long ENOUGH_TO_STAY = OwnedBytes.READ_BYTES;

  private final ByteBudget budget;
  private final ConnectionLimit connections;
  private final Pace pace;
  private boolean isWatching;
  private boolean makesWay;
  private long written;
  private long taken;
  private long sinceJudgedMillis;
  private @Nullable Future<?> timer;

  WriteWatch(ByteBudget budget, ConnectionLimit connections, Deadlines deadlines) {
    this.budget = budget;
    this.connections = connections;
    this.pace = deadlines.writePace();
  }

  @Override
  public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
    if (!(message instanceof ByteBuf bytes)) {
      ctx.write(message, promise);
      return;
    }
    int size = bytes.readableBytes();
    written += size;
    if (size > ByteBudget.FREE_BYTES && !OwnedBytes.isOwned(bytes)) {
      Reservation answer = budget.open(ByteKind.ANSWER, Admission.client(ctx.channel()));
      answer.add(size);
      ctx.write(message, promise.unvoid().addListener(_ -> answer.close()));
    } else {
      ctx.write(message, promise);
    }
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    if (!ctx.channel().isWritable() && !isWatching) {
      isWatching = true;
      taken = written - waiting(ctx);
      pace.start(taken);
      sinceJudgedMillis = 0;
      watch(ctx);
    } else if (makesWay && ctx.channel().isWritable()) {
      makesWay = false;
      connections.asking(ctx.channel());
    }
    ctx.fireChannelWritabilityChanged();
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    if (timer != null) {
      timer.cancel(false);
    }
    ctx.fireChannelInactive();
  }

  private void watch(ChannelHandlerContext ctx) {
    timer = ctx.executor().schedule(() -> look(ctx), lookMillis(), TimeUnit.MILLISECONDS);
  }

  private void look(ChannelHandlerContext ctx) {
    long before = taken;
    taken = written - waiting(ctx);
    if (ctx.channel().isWritable()) {
      isWatching = false;
    } else if (isTooSlow()) {
      connections.stalled();
      ctx.close();
    } else {
      makesWay = true;
      connections.unasking(ctx.channel());
      if (taken - before >= ENOUGH_TO_STAY) {
        connections.getsOn(ctx.channel());
      }
      watch(ctx);
    }
  }

  private boolean isTooSlow() {
    sinceJudgedMillis += lookMillis();
    if (sinceJudgedMillis < pace.millis()) {
      return false;
    }
    sinceJudgedMillis = 0;
    return pace.slowness(taken, budget.isShort()) != null;
  }

  private long lookMillis() {
    return Math.min(LOOK_MILLIS, pace.millis());
  }

  /// What the socket has not taken yet, with the little that each buffer counts for itself.
  private static long waiting(ChannelHandlerContext ctx) {
    ChannelOutboundBuffer pending = ctx.channel().unsafe().outboundBuffer();
    return pending == null ? 0 : pending.totalPendingWriteBytes() - pending.currentProgress();
  }
}
