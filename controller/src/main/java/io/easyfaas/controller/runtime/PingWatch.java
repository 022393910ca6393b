package io.easyfaas.controller.runtime;

import java.time.Duration;
import java.util.function.LongSupplier;

/// Finds an idle runner that has fallen silent: it is pinged when nothing was heard for 10 s, and
/// has 5 s to answer. Confined to the runner's event loop.
final class PingWatch {
  /// How long a PING may go unanswered.
  static final Duration PONG_WAIT = Duration.ofSeconds(5);

  private static final long IDLE_NANOS = Duration.ofSeconds(10).toNanos();

  /// What is to be done.
  enum Due {
    /// Nothing.
    NOTHING,
    /// A PING is to be sent.
    PING,
    /// The runner did not answer the last one.
    SILENT
  }

  private final LongSupplier nanoTime;
  private long lastHeard;
  private long pingedAt;
  private boolean pinged;

  PingWatch(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
    this.lastHeard = nanoTime.getAsLong();
  }

  /// A frame came from the runner.
  void heard() {
    lastHeard = nanoTime.getAsLong();
  }

  /// The answer to a PING came.
  void answered() {
    pinged = false;
  }

  /// Looks what is due. To be called about once a second.
  ///
  /// @param busy whether calls are in flight
  Due check(boolean busy) {
    long now = nanoTime.getAsLong();
    if (busy) {
      // A call may keep the runner's only thread; its deadline watches over it.
      pinged = false;
      return Due.NOTHING;
    }
    if (pinged) {
      return now - pingedAt >= PONG_WAIT.toNanos() ? Due.SILENT : Due.NOTHING;
    }
    if (now - lastHeard < IDLE_NANOS) {
      return Due.NOTHING;
    }
    pinged = true;
    pingedAt = now;
    return Due.PING;
  }
}
