package io.easyfaas.controller.pool;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// How many calls wait, and what they keep in memory meanwhile: for a slot, or before that for the
/// registry's word on their function. Thread-safe, without a lock.
public final class WaitingRoom {
  // Where no call may wait for a slot, a question to the registry must still be possible.
  private static final int LEAST_LOOK_UPS = 64;

  private final int maxCalls;
  private final long maxBytes;
  private final AtomicInteger calls = new AtomicInteger();
  private final AtomicLong bytes = new AtomicLong();

  /// Creates an empty room.
  public WaitingRoom(int maxCalls, long maxBytes) {
    this.maxCalls = maxCalls;
    this.maxBytes = maxBytes;
  }

  /// A call waits for the registry from now on, until it leaves.
  ///
  /// @param weight bytes it keeps in memory
  /// @return null; or, when it may not wait, the limit that is reached, for people
  public @Nullable String enter(int weight) {
    if (calls.get() >= (maxCalls > 0 ? maxCalls : LEAST_LOOK_UPS)) {
      return full();
    }
    return enterUncounted(weight);
  }

  /// The same, whatever their number is: the caller looks at that.
  @Nullable String enterUncounted(int weight) {
    calls.getAndIncrement();
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

  /// Whether more wait than may, apart from those that a slot is being made for.
  ///
  /// @param served calls that slots which are on their way will take
  boolean isOverfull(int served) {
    return calls.get() - served > maxCalls;
  }

  /// Whether one more would be too many, apart from those that a slot is being made for.
  boolean isFull(int served) {
    return calls.get() - served >= maxCalls;
  }

  /// That too many wait, for people.
  String full() {
    return calls.get() + " calls wait already";
  }

  /// How many wait now.
  public int calls() {
    return calls.get();
  }
}
