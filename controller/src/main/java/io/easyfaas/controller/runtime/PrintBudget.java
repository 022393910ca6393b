package io.easyfaas.controller.runtime;

import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/// Bounds how much of an event loop one sandbox's printing, and whatever else it does unasked, may
/// take. Confined to the loop.
///
/// What is printed costs the loop a copy even if nobody wants it. A sandbox that prints more than 4
/// MiB in 100 ms, or whose printing takes more of the loop in that time than its part of {@link
/// PrintShare}, is not read for a while: it waits, the others do not.
final class PrintBudget {
  static final int WINDOW_BYTES = 4 << 20;

  /// What handling a frame or a piece of output takes, in bytes of printing that take as long.
  static final int PIECE_BYTES = 128;

  static final long WINDOW_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
  // One read or frame takes less; what took longer was the loop's thread waiting for a processor.
  private static final long MOST_NANOS = TimeUnit.MILLISECONDS.toNanos(2);

  /// Something that is read from a sandbox.
  interface Source {
    /// Reading stops, or goes on.
    void reading(boolean on);
  }

  private final EventLoop loop;
  private final LongSupplier nanoTime;
  private final PrintShare share;
  private final List<Source> sources = new ArrayList<>();
  private long windowStart;
  private int used;
  private long usedNanos;
  private boolean paused;

  /// @param share of all sandboxes of the loop
  PrintBudget(EventLoop loop, LongSupplier nanoTime, PrintShare share) {
    this.loop = loop;
    this.nanoTime = nanoTime;
    this.share = share;
    this.windowStart = nanoTime.getAsLong();
  }

  /// Has something stopped and continued with the others.
  void add(Source source) {
    sources.add(source);
  }

  /// The time, for {@link #tookSince}.
  long now() {
    return nanoTime.getAsLong();
  }

  /// Counts printed bytes, and stops reading for a while when they are too many.
  void spend(int bytes) {
    long elapsed = elapsed(now());
    used += bytes;
    if (used > WINDOW_BYTES) {
      pause(WINDOW_NANOS - elapsed);
    }
  }

  /// Counts what handling a read or a frame has taken of the loop, and stops reading for a while
  /// when that is too much.
  void tookSince(long since) {
    long now = now();
    long elapsed = elapsed(now);
    usedNanos += Math.min(now - since, MOST_NANOS);
    if (usedNanos > share.nanosOfWindow()) {
      pause(WINDOW_NANOS - elapsed);
    }
  }

  private long elapsed(long now) {
    long elapsed = now - windowStart;
    if (elapsed >= WINDOW_NANOS) {
      begin(now);
      elapsed = 0;
    }
    if (used == 0 && usedNanos == 0) {
      share.prints(now); // Also who goes on after a pause.
    }
    return elapsed;
  }

  private void begin(long now) {
    windowStart = now;
    used = 0;
    usedNanos = 0;
  }

  /// Stops reading for a while: there is no memory for what would be read.
  void pauseForMemory() {
    pause(WINDOW_NANOS);
  }

  /// Whether nothing is to be read now.
  boolean isPaused() {
    return paused;
  }

  @SuppressWarnings("FutureReturnValueIgnored") // A loop that is shut down reads nothing anyway.
  private void pause(long nanos) {
    if (!paused) {
      paused = true;
      sources.forEach(source -> source.reading(false));
      loop.schedule(this::resume, nanos, TimeUnit.NANOSECONDS);
    }
  }

  private void resume() {
    paused = false;
    begin(now());
    for (Source source : sources) {
      if (paused) {
        return; // What one had kept was too much again.
      }
      source.reading(true);
    }
  }
}
