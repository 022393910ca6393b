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
/// MiB in 100 ms is not read for the rest of that time: it waits, the others do not.
final class PrintBudget {
  static final int WINDOW_BYTES = 4 << 20;

  /// What handling a frame or a piece of output takes, in bytes of printing that take as long.
  static final int PIECE_BYTES = 128;

  static final long WINDOW_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  /// Something that is read from a sandbox.
  interface Source {
    /// Reading stops, or goes on.
    void reading(boolean on);
  }

  private final EventLoop loop;
  private final LongSupplier nanoTime;
  private final List<Source> sources = new ArrayList<>();
  private long windowStart;
  private int used;
  private boolean paused;

  PrintBudget(EventLoop loop, LongSupplier nanoTime) {
    this.loop = loop;
    this.nanoTime = nanoTime;
    this.windowStart = nanoTime.getAsLong();
  }

  /// Has something stopped and continued with the others.
  void add(Source source) {
    sources.add(source);
  }

  /// Counts printed bytes, and stops reading for a while when they are too many.
  void spend(int bytes) {
    long elapsed = nanoTime.getAsLong() - windowStart;
    if (elapsed >= WINDOW_NANOS) {
      windowStart += elapsed;
      elapsed = 0;
      used = 0;
    }
    used += bytes;
    if (used > WINDOW_BYTES) {
      pause(WINDOW_NANOS - elapsed);
    }
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
    used = 0;
    windowStart = nanoTime.getAsLong();
    for (Source source : sources) {
      if (paused) {
        return; // What one had kept was too much again.
      }
      source.reading(true);
    }
  }
}
