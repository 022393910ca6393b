package io.easyfaas.controller.pool;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// How many calls wait, and what they keep in memory meanwhile: for a slot, or before that for the
/// registry's word on their function. Thread-safe, without a lock.
public final class WaitingRoom {
  private final int maxCalls;
  private final long maxBytes;
  private final AtomicInteger calls = new AtomicInteger();
  private final AtomicLong bytes = new AtomicLong();

  /// Creates an empty room.
  public WaitingRoom(int maxCalls, long maxBytes) {
    this.maxCalls = maxCalls;
    this.maxBytes = maxBytes;
  }

  /// A call waits from now on, until it leaves.
  ///
  /// @param weight bytes it keeps in memory
  /// @return null; or, when it may not wait, the limit that is reached, for people
  public @Nullable String enter(int weight) {
    int before = calls.getAndIncrement();
    if (before >= maxCalls) {
      calls.decrementAndGet();
      return before + " calls wait already";
    }
    long bytesBefore = bytes.getAndAdd(weight);
    if (bytesBefore + weight > maxBytes) {
      leave(weight);
      return "calls with " + bytesBefore + " bytes wait already";
    }
    return null;
  }

  /// A call that waited does not any more.
  ///
  /// @param weight what it entered with
  public void leave(int weight) {
    bytes.addAndGet(-weight);
    calls.decrementAndGet();
  }

  /// How many wait now.
  public int calls() {
    return calls.get();
  }
}
