package io.easyfaas.controller.runtime;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/// Waits for what another thread does.
final class TestWait {
  private TestWait() {}

  /// Waits at most 20 s.
  static void until(String what, BooleanSupplier condition) {
    long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - deadline > 0) {
        throw new AssertionError("not in 20s: " + what);
      }
      LockSupport.parkNanos(100_000);
    }
  }
}
