package io.easyfaas.common.http;

import io.easyfaas.common.budget.Reservation;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A connection's wait for room in the budget, during which it is not read. Confined to the
/// connection's event loop.
final class RoomWait {
  private final ReadGate gate;
  private final Duration patience;
  private @Nullable Future<?> timer; // While it waits.

  RoomWait(ReadGate gate, Duration patience) {
    this.gate = gate;
    this.patience = patience;
  }

  /// Waits for `missing` bytes. One of the two is called, on the loop, unless {@link #stop} is.
  ///
  /// @param granted when they are reserved; then the connection is read again
  /// @param late with what there is too little of, when there was no room in time
  void start(
      EventExecutor loop, Reservation room, long missing, Runnable granted, Consumer<String> late) {
    gate.close(ReadGate.Reason.NO_ROOM);
    Future<?> mine =
        loop.schedule(
            () -> {
              timer = null;
              String shortage = room.shortage(missing);
              room.refuse();
              late.accept(shortage);
            },
            patience.toMillis(),
            TimeUnit.MILLISECONDS);
    timer = mine;
    room.whenAvailable(
        missing,
        loop,
        () -> {
          if (Objects.equals(timer, mine)) { // Else the client left, or it was too late.
            stop();
            granted.run();
            gate.open(ReadGate.Reason.NO_ROOM);
          }
        });
  }

  /// Nobody waits any more.
  void stop() {
    Future<?> running = timer;
    timer = null;
    if (running != null) {
      running.cancel(false);
    }
  }
}
