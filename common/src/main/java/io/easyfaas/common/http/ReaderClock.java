package io.easyfaas.common.http;

import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.budget.ByteKind;
import io.easyfaas.common.budget.Reservation;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.netty.channel.ChannelHandlerContext;
import io.netty.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Watches requests that do not come in one go: a head must be whole in its time, a body must get
/// on. Costs nothing for those that do. Confined to the connection's event loop.
final class ReaderClock {
  // What a head that is not whole may cost: its longest form as text and in the read buffer.
  private static final int HEAD_ROOM_BYTES = 2 * RequestDecoder.MAX_HEAD_BYTES;

  private final RequestReader reader;
  private final ReadGate gate;
  private final ByteBudget budget;
  private final Deadlines deadlines;

  private @Nullable Future<?> headTimer;
  private @Nullable Reservation headRoom;
  private @Nullable Future<?> bodyTimer;
  private @Nullable IncomingRequest body;
  private long seen;
  private int mark;

  ReaderClock(RequestReader reader, ReadGate gate, ByteBudget budget, Deadlines deadlines) {
    this.reader = reader;
    this.gate = gate;
    this.budget = budget;
    this.deadlines = deadlines;
  }

  /// A head is here in part. May be told again.
  void headBegan(ChannelHandlerContext ctx) {
    if (headTimer != null) {
      return;
    }
    Reservation room = budget.open(ByteKind.HEAD, "");
    if (!room.grow(HEAD_ROOM_BYTES)) {
      String shortage = room.shortage(HEAD_ROOM_BYTES);
      room.refuse();
      reader.refuse(ctx, HttpResponse.error(new ApiException(ErrorCode.UNAVAILABLE, shortage)));
      return;
    }
    headRoom = room;
    headTimer =
        ctx.executor()
            .schedule(
                () -> {
                  headTimer = null;
                  late(ctx, "the request's head is not whole after " + deadlines.head());
                },
                deadlines.head().toMillis(),
                TimeUnit.MILLISECONDS);
  }

  /// The head that had begun is whole.
  void headIsWhole() {
    Future<?> timer = headTimer;
    if (timer != null) {
      headTimer = null;
      timer.cancel(false);
    }
    Reservation room = headRoom;
    if (room != null) {
      headRoom = null;
      room.close();
    }
  }

  /// A body is here in part. May be told again.
  void bodyGoesOn(ChannelHandlerContext ctx, IncomingRequest incoming) {
    if (body != incoming) {
      body = incoming;
      seen = -1; // Its first window is the first whole one.
    }
    if (bodyTimer == null) {
      bodyTimer =
          ctx.executor()
              .scheduleWithFixedDelay(
                  () -> look(ctx),
                  deadlines.body().toMillis(),
                  deadlines.body().toMillis(),
                  TimeUnit.MILLISECONDS);
    }
  }

  /// Nothing is waited for any more.
  void stop() {
    headIsWhole();
    stopBody();
  }

  private void look(ChannelHandlerContext ctx) {
    IncomingRequest incoming = body;
    if (incoming == null || !reader.isReading(incoming)) {
      stopBody();
      return;
    }
    boolean wasReadAllTheTime = seen >= 0 && gate.wasOpenSince(mark);
    long progress = incoming.received() - seen;
    seen = incoming.received();
    mark = gate.mark();
    // A client that was not read, or is not asked for its body yet, is not the one who is slow.
    if (wasReadAllTheTime && !incoming.isUnasked() && progress < deadlines.minBodyBytes()) {
      late(
          ctx,
          "the request's body gets on by "
              + progress
              + " bytes in "
              + deadlines.body()
              + " (expected: at least "
              + deadlines.minBodyBytes()
              + ")");
    }
  }

  private void stopBody() {
    Future<?> timer = bodyTimer;
    bodyTimer = null;
    body = null;
    if (timer != null) {
      timer.cancel(false);
    }
  }

  private void late(ChannelHandlerContext ctx, String what) {
    reader.refuse(ctx, HttpResponse.text(408, what));
  }
}
