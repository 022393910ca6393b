package io.easyfaas.controller.pool;

import java.time.InstantSource;
import java.util.function.LongSupplier;

/// A pool's two clocks.
///
/// @param nanoTime for what lasts, usually {@link System#nanoTime()}
/// @param wall for what people read
public record PoolClock(LongSupplier nanoTime, InstantSource wall) {
  /// Now, for what lasts.
  public long nanos() {
    return nanoTime.getAsLong();
  }

  /// Now, in milliseconds since the epoch.
  public long millis() {
    return wall.millis();
  }
}
