package io.easyfaas.controller.engine;

import java.util.concurrent.atomic.LongAdder;

/// Counts durations by size, in microseconds. Thread-safe; recording is two additions and a short
/// search, and never waits.
public final class Histogram {
  /// The counts at one moment; buckets may be some calls ahead of each other.
  ///
  /// @param bounds upper bounds, microseconds, ascending, without the infinite one
  /// @param counts one more than bounds, not cumulative
  /// @param sum of all durations, microseconds
  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  public record Snapshot(double[] bounds, long[] counts, double sum) {}

  private final double[] bounds;
  private final long[] boundNanos;
  private final LongAdder[] counts;
  private final LongAdder sumNanos = new LongAdder();

  /// Creates an empty histogram.
  ///
  /// @param bounds upper bounds in microseconds, ascending
  Histogram(double... bounds) {
    this.bounds = bounds.clone();
    this.boundNanos = new long[bounds.length];
    this.counts = new LongAdder[bounds.length + 1];
    for (int i = 0; i < bounds.length; i++) {
      boundNanos[i] = Math.round(bounds[i] * 1000);
    }
    for (int i = 0; i < counts.length; i++) {
      counts[i] = new LongAdder();
    }
  }

  /// Counts one duration.
  void record(long nanos) {
    int bucket = 0;
    while (bucket < boundNanos.length && nanos > boundNanos[bucket]) {
      bucket++;
    }
    counts[bucket].increment();
    sumNanos.add(nanos);
  }

  /// What was counted so far.
  public Snapshot snapshot() {
    long[] values = new long[counts.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = counts[i].sum();
    }
    return new Snapshot(bounds.clone(), values, sumNanos.sum() / 1000.0);
  }
}
