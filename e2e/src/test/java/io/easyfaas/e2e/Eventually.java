package io.easyfaas.e2e;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/// Waiting: for a condition, looked at again and again, and never longer than a deadline.
final class Eventually {
  private static final long PAUSE_NANOS = 10_000_000;

  private Eventually() {}

  /// Waits until an assertion holds.
  ///
  /// @throws AssertionError the last failure, when the deadline has passed
  static void holds(Duration deadline, Runnable assertion) {
    long end = System.nanoTime() + deadline.toNanos();
    while (true) {
      try {
        assertion.run();
        return;
      } catch (AssertionError failure) {
        if (System.nanoTime() > end) {
          throw failure;
        }
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }

  /// Waits until a condition is true.
  ///
  /// @throws AssertionError naming what was waited for, when the deadline has passed
  static void isTrue(String what, Duration deadline, BooleanSupplier condition) {
    Boolean _ =
        value(
            what, deadline, () -> condition.getAsBoolean() ? Optional.of(true) : Optional.empty());
  }

  /// Waits until there is a value.
  ///
  /// @throws AssertionError naming what was waited for, when the deadline has passed
  static <T> T value(String what, Duration deadline, Supplier<Optional<T>> source) {
    long end = System.nanoTime() + deadline.toNanos();
    while (true) {
      Optional<T> value = source.get();
      if (value.isPresent()) {
        return value.get();
      }
      if (System.nanoTime() > end) {
        throw new AssertionError("not within " + deadline.toSeconds() + " s: " + what);
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }
}
