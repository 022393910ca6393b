package io.easyfaas.common.http;

import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.budget.ByteKind;
import io.easyfaas.common.budget.Reservation;
import io.easyfaas.common.config.Durations;
import io.easyfaas.common.wire.ErrorCode;
import io.netty.channel.ChannelHandlerContext;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Watches requests that do not come in one go: a head must be whole in its time, a body must get
/// on. Costs nothing for those that do. Confined to the connection's event loop.
final class ReaderClock {
  // What a head that is not whole may cost: its longest form as text and in the read buffer.
  private static final int HEAD_ROOM_BYTES = 2 * RequestDecoder.MAX_HEAD_BYTES;

  private final RequestReader reader;
  private final ReadGate gate;
  private final Admission admission;
  private final ByteBudget budget;
  private final Deadlines deadlines;

  private @Nullable Future<?> headTimer;
  private @Nullable Reservation headRoom;
  private @Nullable Future<?> bodyTimer;
  private @Nullable IncomingRequest body;
  private final Pace pace;
  private int mark;

  ReaderClock(RequestReader reader, ReadGate gate, Admission admission, Deadlines deadlines) {
    this.reader = reader;
    this.gate = gate;
    this.admission = admission;
    this.budget = admission.budget();
    this.deadlines = deadlines;
    this.pace = deadlines.bodyPace();
  }

  /// A head is here in part. A long one is not read on before there is room for it.
  ///
  /// @param bytes of it that are here
  void headGoesOn(ChannelHandlerContext ctx, int bytes) {
    if (headTimer == null) {
      awaitHead(ctx, deadlines.head());
    }
    if (headRoom == null && bytes > ByteBudget.FREE_BYTES) {
      Reservation room = budget.open(ByteKind.HEAD, Admission.client(ctx.channel()));
      headRoom = room;
      if (!room.grow(HEAD_ROOM_BYTES)) {
        awaitRoom(ctx, room);
      }
    }
  }

  /// Waits for the end of the head, for less than it may take when others want the room it has.
  private void awaitHead(ChannelHandlerContext ctx, Duration left) {
    Duration step = left.compareTo(deadlines.shortHead()) < 0 ? left : deadlines.shortHead();
    headTimer =
        ctx.executor()
            .schedule(
                () -> {
                  headTimer = null;
                  Duration then = left.minus(step);
                  if (then.isZero() || (headRoom != null && budget.isShort())) {
                    Duration time = deadlines.head().minus(then);
                    late(ctx, "the request's head is not whole after " + Durations.text(time));
                  } else {
                    awaitHead(ctx, then);
                  }
                },
                step.toMillis(),
                TimeUnit.MILLISECONDS);
  }

  private void awaitRoom(ChannelHandlerContext ctx, Reservation room) {
    stopHeadTimer();
    gate.close(ReadGate.Reason.NO_ROOM);
    headTimer =
        ctx.executor()
            .schedule(
                () -> {
                  headTimer = null;
                  headRoom = null;
                  String shortage = room.shortage(HEAD_ROOM_BYTES);
                  room.refuse();
                  reader.refuse(ctx, HttpResponse.error(ErrorCode.UNAVAILABLE, shortage));
                },
                deadlines.room().toMillis(),
                TimeUnit.MILLISECONDS);
    room.whenAvailable(
        HEAD_ROOM_BYTES,
        ctx.executor(),
        () -> {
          if (isOf(room)) { // Else it was too late.
            stopHeadTimer();
            awaitHead(ctx, deadlines.head());
            gate.open(ReadGate.Reason.NO_ROOM);
          }
        });
  }

  @SuppressWarnings("ReferenceEquality") // Of this very head.
  private boolean isOf(Reservation room) {
    return headRoom == room;
  }

  /// The head that had begun is whole.
  void headIsWhole() {
    stopHeadTimer();
    Reservation room = headRoom;
    if (room != null) {
      headRoom = null;
      room.close();
    }
  }

  private void stopHeadTimer() {
    Future<?> timer = headTimer;
    if (timer != null) {
      headTimer = null;
      timer.cancel(false);
    }
  }

  /// A body is here in part. May be told again.
  void bodyGoesOn(ChannelHandlerContext ctx, IncomingRequest incoming) {
    if (body == incoming) {
      return;
    }
    stopBody(); // Its first window is a whole one.
    body = incoming;
    pace.start(incoming.received());
    mark = gate.mark();
    bodyTimer =
        ctx.executor()
            .scheduleWithFixedDelay(
                () -> look(ctx), pace.millis(), pace.millis(), TimeUnit.MILLISECONDS);
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
    boolean wasReadAllTheTime = gate.wasOpenSince(mark);
    mark = gate.mark();
    if (!wasReadAllTheTime || incoming.isUnasked()) {
      pace.goOn(incoming.received()); // It is not the client who is slow.
      return;
    }
    String slowness = pace.slowness(incoming.received(), isShort(incoming));
    if (slowness != null) {
      late(ctx, "the request's body gets on by " + slowness);
    }
  }

  private boolean isShort(IncomingRequest incoming) {
    return budget.isShort() || (incoming.isStreamed() && admission.handler().isCrowded());
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
    reader.refuse(ctx, HttpResponse.error(ErrorCode.SLOW_REQUEST, what));
  }
}
