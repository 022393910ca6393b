package io.easyfaas.common.http;

import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.budget.ByteKind;
import io.easyfaas.common.budget.Reservation;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import java.util.concurrent.TimeUnit;

/// Accounts for answers until their client has taken them, and closes the connection of one that
/// takes nothing for too long. Short answers cost a comparison. Next to the socket: it sees bytes.
/// Confined to the connection's event loop.
///
/// An answer is here already, so it is counted whether there is room or not; what comes next waits
/// for it to go.
@SuppressWarnings("FutureReturnValueIgnored") // Closing is all that can be done.
final class WriteWatch extends ChannelDuplexHandler {

  private final ByteBudget budget;
  private final ConnectionLimit connections;
  private final long stallMillis;
  private boolean isWatching;
  private long left;

  WriteWatch(ByteBudget budget, ConnectionLimit connections, Deadlines deadlines) {
    this.budget = budget;
    this.connections = connections;
    this.stallMillis = deadlines.write().toMillis();
  }

  @Override
  public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
    if (message instanceof ByteBuf bytes
        && bytes.readableBytes() > ByteBudget.FREE_BYTES
        && !OwnedBytes.isOwned(bytes)) {
      Reservation answer = budget.open(ByteKind.ANSWER, "");
      answer.add(bytes.readableBytes());
      ctx.write(message, promise.unvoid().addListener(_ -> answer.close()));
    } else {
      ctx.write(message, promise);
    }
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    if (!ctx.channel().isWritable() && !isWatching) {
      isWatching = true;
      left = left(ctx);
      watch(ctx);
    }
    ctx.fireChannelWritabilityChanged();
  }

  private void watch(ChannelHandlerContext ctx) {
    ctx.executor().schedule(() -> look(ctx), stallMillis, TimeUnit.MILLISECONDS);
  }

  private void look(ChannelHandlerContext ctx) {
    long now = left(ctx);
    if (ctx.channel().isWritable() || now == 0) {
      isWatching = false;
    } else if (now == left) {
      connections.stalled();
      ctx.close();
    } else {
      left = now;
      watch(ctx);
    }
  }

  /// What the socket has not taken yet. Nothing is added while that is much.
  private static long left(ChannelHandlerContext ctx) {
    ChannelOutboundBuffer pending = ctx.channel().unsafe().outboundBuffer();
    return pending == null ? 0 : pending.totalPendingWriteBytes() - pending.currentProgress();
  }
}
