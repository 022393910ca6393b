package io.easyfaas.common.http;

import java.time.Duration;

/// How long a server waits for its clients, and they for it.
///
/// @param idle how long a connection is kept that nobody uses
/// @param head how long a head may take from its first byte to its last
/// @param body the length of the windows in each of which a body must get on by {@link
///   #MIN_BYTES_PER_SECOND}; while others wait for room it is a quarter of what they wait, and the
///   rate is {@link #TIMES_WHEN_SHORT} times as high
/// @param write the same for a client that takes an answer; while others wait it is what they wait,
///   since what a client takes shows in steps
/// @param room how long a request waits for memory before it is answered with 503
record Deadlines(Duration idle, Duration head, Duration body, Duration write, Duration room) {
  /// The slowest client that is served: a modem of 1990.
  static final int MIN_BYTES_PER_SECOND = 1024;

  /// So many times as fast must be who has room that others wait for.
  static final int TIMES_WHEN_SHORT = 64;

  // Clients send in steps of so much, curl for one: a body may be late by one, once.
  private static final int STEP_BYTES = 64 << 10;

  // Idle: longer than HttpClient keeps an unused connection, so that our own clients never meet a
  // connection that is just being closed. Write: what a slow client takes shows in steps, as large
  // as what its system keeps for it.
  static final Deadlines DEFAULT =
      new Deadlines(
          Duration.ofSeconds(75),
          Duration.ofSeconds(10),
          Duration.ofSeconds(10),
          Duration.ofSeconds(30),
          Duration.ofSeconds(5));

  /// How a body must get on. Whoever keeps others waiting at less than half of the rate is found
  /// before they give up; whoever is nearer to it later, as the lateness adds up.
  Pace bodyPace() {
    return new Pace(body, quarterOfRoom(), STEP_BYTES);
  }

  /// How a client must take its answer.
  Pace writePace() {
    return new Pace(write, room, 0);
  }

  /// How soon a head must be whole that keeps others waiting.
  Duration shortHead() {
    Duration quarter = quarterOfRoom();
    return head.compareTo(quarter) < 0 ? head : quarter;
  }

  // Not dividedBy: that calculates in decimal digits, and every connection asks.
  private Duration quarterOfRoom() {
    return Duration.ofNanos(room.toNanos() / 4);
  }

  /// The least that may come in a time, at least 1.
  static long minBytes(Duration window) {
    return Math.max(1, MIN_BYTES_PER_SECOND * window.toMillis() / 1000);
  }
}
