package io.easyfaas.controller.runtime;

import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.budget.ByteKind;
import io.easyfaas.common.budget.Reservation;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// The room that one runner's large frames take in the engine's account of bytes: asked for before
/// they are collected, one after the other. Confined to the runner's event loop.
final class FrameRoom {
  /// How long a frame waits for room before it is refused.
  static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(5);

  /// Who waits.
  interface Listener {
    /// There is room: what was asked for is to be asked for again.
    void room();

    /// There was none in time.
    ///
    /// @param shortage which limit it was, and how it stands
    void noRoom(String shortage);
  }

  private final EventLoop loop;
  private final ByteBudget budget;
  private final Listener listener;
  private String account = "";
  private @Nullable Reservation asked;
  private @Nullable Future<?> timer;

  FrameRoom(EventLoop loop, ByteBudget budget, Listener listener) {
    this.loop = loop;
    this.budget = budget;
    this.listener = listener;
  }

  /// Whose frames they are from now on.
  void belongsTo(String owner) {
    account = owner;
  }

  /// Asks for room for one frame.
  ///
  /// @return who answers for so many bytes, to be closed by whoever has them; null when there is no
  ///   room: the listener is told
  @Nullable Reservation ask(ByteKind kind, int bytes) {
    Reservation mine = asked;
    if (mine == null) {
      mine = budget.open(kind, account);
      if (!mine.grow(bytes)) {
        await(mine, bytes);
        return null;
      }
    } else if (isAwaited()) {
      return null;
    }
    asked = null;
    return mine;
  }

  /// Whether a frame waits for room.
  boolean isAwaited() {
    return timer != null;
  }

  /// Asks for nothing any more. Safe to call twice.
  void close() {
    Reservation mine = asked;
    asked = null;
    stopWaiting();
    if (mine != null) {
      mine.close();
    }
  }

  private void await(Reservation mine, int bytes) {
    asked = mine;
    timer = loop.schedule(() -> giveUp(mine, bytes), PATIENCE_NANOS, TimeUnit.NANOSECONDS);
    mine.whenAvailable(bytes, loop, () -> granted(mine));
  }

  @SuppressWarnings("ReferenceEquality") // Of this very frame.
  private void granted(Reservation mine) {
    if (asked == mine && isAwaited()) { // Else it was too late.
      stopWaiting();
      listener.room();
    }
  }

  @SuppressWarnings("ReferenceEquality")
  private void giveUp(Reservation mine, int bytes) {
    if (asked == mine && isAwaited()) {
      String shortage = mine.shortage(bytes);
      asked = null;
      timer = null;
      mine.refuse();
      listener.noRoom(shortage);
    }
  }

  private void stopWaiting() {
    Future<?> running = timer;
    timer = null;
    if (running != null) {
      running.cancel(false);
    }
  }
}
