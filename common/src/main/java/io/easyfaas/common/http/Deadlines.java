package io.easyfaas.common.http;

import java.time.Duration;

/// How long a server waits for its clients, and they for it.
///
/// @param idle how long a connection is kept that nobody uses
/// @param head how long a head may take from its first byte to its last
/// @param body the length of the windows in each of which a body must get on by {@link
///   #MIN_BYTES_PER_SECOND}
/// @param write the same for a client that takes an answer
/// @param room how long a request waits for memory before it is answered with 503
record Deadlines(Duration idle, Duration head, Duration body, Duration write, Duration room) {
  /// The slowest client that is served: a modem of 1990.
  static final int MIN_BYTES_PER_SECOND = 1024;

  /// So many times as fast must be who has room that others wait for.
  static final int TIMES_WHEN_SHORT = 64;

  // Idle: longer than HttpClient keeps an unused connection, so that our own clients never meet a
  // connection that is just being closed. Write: what a slow client takes shows in steps, as large
  // as
  // what its system keeps for it.
  static final Deadlines DEFAULT =
      new Deadlines(
          Duration.ofSeconds(75),
          Duration.ofSeconds(10),
          Duration.ofSeconds(10),
          Duration.ofSeconds(30),
          Duration.ofSeconds(5));

  /// What of a body must come in a window.
  ///
  /// @param isShort whether others wait for the memory that it keeps
  long minBodyBytes(boolean isShort) {
    return minBytes(body) * (isShort ? TIMES_WHEN_SHORT : 1);
  }

  /// What of an answer must be taken in a window.
  long minWriteBytes() {
    return minBytes(write);
  }

  private static long minBytes(Duration window) {
    return Math.max(1, MIN_BYTES_PER_SECOND * window.toMillis() / 1000);
  }
}
