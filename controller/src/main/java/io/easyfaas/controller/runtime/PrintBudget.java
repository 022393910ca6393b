package io.easyfaas.controller.runtime;

import io.netty.channel.Channel;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/// Bounds how much of an event loop one sandbox's printing may take. Confined to the channel's
/// event loop.
///
/// What is printed costs the loop a copy even if nobody wants it. A sandbox that prints more than 4
/// MiB in 100 ms is not read for the rest of that time: it waits, the others do not.
final class PrintBudget {
  static final int WINDOW_BYTES = 4 << 20;
  static final long WINDOW_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  private final Channel channel;
  private final LongSupplier nanoTime;
  private long windowStart;
  private int used;
  private boolean paused;

  PrintBudget(Channel channel, LongSupplier nanoTime) {
    this.channel = channel;
    this.nanoTime = nanoTime;
    this.windowStart = nanoTime.getAsLong();
  }

  /// Counts printed bytes, and stops reading the channel for a while when they are too many.
  @SuppressWarnings("FutureReturnValueIgnored") // A loop that is shut down reads nothing anyway.
  void spend(int bytes) {
    long elapsed = nanoTime.getAsLong() - windowStart;
    if (elapsed >= WINDOW_NANOS) {
      windowStart += elapsed;
      elapsed = 0;
      used = 0;
    }
    used += bytes;
    if (used > WINDOW_BYTES && !paused) {
      paused = true;
      channel.config().setAutoRead(false);
      channel.eventLoop().schedule(this::resume, WINDOW_NANOS - elapsed, TimeUnit.NANOSECONDS);
    }
  }

  private void resume() {
    paused = false;
    used = 0;
    windowStart = nanoTime.getAsLong();
    channel.config().setAutoRead(true);
  }
}
