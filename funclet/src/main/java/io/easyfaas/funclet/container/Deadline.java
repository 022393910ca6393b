package io.easyfaas.funclet.container;

import java.time.Duration;

/// When something has to be done by.
///
/// @param nanoTime on the clock of {@link System#nanoTime()}
record Deadline(long nanoTime) {
  static Deadline in(Duration timeout) {
    return new Deadline(System.nanoTime() + timeout.toNanos());
  }

  /// This one, or the one in so much time if that comes before.
  Deadline atMost(Duration timeout) {
    return new Deadline(Math.min(nanoTime, in(timeout).nanoTime()));
  }

  /// What is left, at least zero.
  Duration remaining() {
    return Duration.ofNanos(Math.max(0, nanoTime - System.nanoTime()));
  }
}
