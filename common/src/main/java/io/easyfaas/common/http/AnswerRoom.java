package io.easyfaas.common.http;

import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.budget.ByteKind;
import io.easyfaas.common.budget.Reservation;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Has room for the answers that a client reads: reserved before they are, as a whole, or in steps
/// when their length is not told, and given back when they have been handed on. Without room the
/// socket is not read, and after a while the answer fails. Short answers cost a comparison.
/// Confined to the connection's event loop.
final class AnswerRoom extends ChannelInboundHandlerAdapter {
  // How far ahead of an answer of unknown length is reserved. What is being read fits in half.
  private static final long STEP_BYTES = 2L * OwnedBytes.READ_BYTES;

  // The engine's own: nobody else must be able to take its share.
  private static final String OWN_ACCOUNT = "the engine itself";

  private final ByteBudget budget;
  private final Deadlines deadlines;
  private final ArrayDeque<Object> held = new ArrayDeque<>();
  private @Nullable Reservation room;
  private @Nullable Future<?> timer;
  private long reserved;
  private long received;
  private boolean isLengthKnown;
  private boolean isOver;

  AnswerRoom(ByteBudget budget, Deadlines deadlines) {
    this.budget = budget;
    this.deadlines = deadlines;
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    if (timer != null) {
      held.add(message);
    } else {
      take(ctx, message);
    }
  }

  private void take(ChannelHandlerContext ctx, Object message) {
    if (message instanceof HttpResponse head) {
      long length = HttpUtil.getContentLength(head, HttpBody.UNKNOWN);
      isLengthKnown = length != HttpBody.UNKNOWN;
      received = 0;
      claim(ctx, isLengthKnown ? length : 0);
    }
    if (message instanceof HttpContent part && !isLengthKnown) {
      received += part.content().readableBytes();
      claim(ctx, received <= ByteBudget.FREE_BYTES ? 0 : received + STEP_BYTES / 2);
    }
    ctx.fireChannelRead(message);
    if (message instanceof LastHttpContent) {
      release();
    }
  }

  /// Sees to it that so much is reserved before more is read.
  private void claim(ChannelHandlerContext ctx, long bytes) {
    if (isOver || bytes <= ByteBudget.FREE_BYTES || bytes <= reserved) {
      return;
    }
    // An answer that would need more than there is has it all for itself.
    long goal = Math.min(isLengthKnown ? bytes : bytes + STEP_BYTES / 2, budget.total());
    long missing = goal - reserved;
    Reservation mine = room == null ? budget.open(ByteKind.DOCUMENT, OWN_ACCOUNT) : room;
    room = mine;
    if (missing <= 0 || mine.grow(missing)) {
      reserved = Math.max(reserved, goal);
      return;
    }
    ctx.channel().config().setAutoRead(false);
    timer =
        ctx.executor()
            .schedule(
                () -> giveUp(ctx, mine, missing),
                deadlines.room().toMillis(),
                TimeUnit.MILLISECONDS);
    mine.whenAvailable(missing, ctx.executor(), () -> granted(ctx, mine, goal));
  }

  @SuppressWarnings("ReferenceEquality") // Of this very answer.
  private void granted(ChannelHandlerContext ctx, Reservation mine, long goal) {
    Future<?> waiting = timer;
    if (room != mine || waiting == null) {
      return; // It was too late, or the server is gone.
    }
    waiting.cancel(false);
    timer = null;
    reserved = goal;
    while (timer == null && !held.isEmpty()) {
      take(ctx, held.removeFirst());
    }
    ctx.channel().config().setAutoRead(timer == null);
  }

  @SuppressWarnings("ReferenceEquality")
  private void giveUp(ChannelHandlerContext ctx, Reservation mine, long missing) {
    if (room != mine || timer == null) {
      return;
    }
    String shortage = mine.shortage(missing);
    mine.refuse();
    drop();
    ctx.fireExceptionCaught(new ApiException(ErrorCode.UNAVAILABLE, shortage));
  }

  /// The server is gone. What it sent before is here already and needs no more room.
  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    Future<?> waiting = timer;
    if (waiting != null) {
      waiting.cancel(false);
      timer = null;
      release();
      isOver = true;
      while (!held.isEmpty()) {
        ctx.fireChannelRead(held.removeFirst());
      }
    }
    drop();
    ctx.fireChannelInactive();
  }

  private void drop() {
    Future<?> waiting = timer;
    timer = null;
    if (waiting != null) {
      waiting.cancel(false);
    }
    held.forEach(ReferenceCountUtil::release);
    held.clear();
    release();
  }

  private void release() {
    Reservation mine = room;
    room = null;
    reserved = 0;
    if (mine != null) {
      mine.close();
    }
  }
}
