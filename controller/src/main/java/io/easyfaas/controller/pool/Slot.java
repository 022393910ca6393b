package io.easyfaas.controller.pool;

import io.easyfaas.common.wire.ContainerId;
import org.jspecify.annotations.Nullable;

/// One slot's state and history. Not thread-safe; owned by {@link SlotPool} and guarded by its
/// lock.
///
/// The calls of a warm slot are counted here, in place: a call makes no record, and what it reads
/// and writes lies together. {@link #state()} tells them as the `Warm` record that there is now.
final class Slot {
  final int index;
  final ContainerId id;
  long lastAccessMillis;
  long lastResetMillis;
  WarmupTimes times = WarmupTimes.NONE;
  long accepted;
  long rejected;
  int abnormalTimes;
  // When Warm, as it was at first: the lease's calls have changed the numbers below.
  private SlotState state;
  private @Nullable Lease lease; // Null in every other state.
  private int concurrency; // 0 in every other state.
  private int inFlight;
  private int coming; // Permits it will have soon: when WarmingUp or Thawing.
  private long lastUsed;

  Slot(int index, ContainerId id, SlotState state) {
    this.index = index;
    this.id = id;
    this.state = state;
  }

  SlotState state() {
    return state instanceof SlotState.Warm warm
        ? new SlotState.Warm(warm.function(), warm.lease(), inFlight, lastUsed)
        : state;
  }

  void state(SlotState next) {
    state = next;
    if (next instanceof SlotState.Warm warm) {
      lease = warm.lease();
      concurrency = warm.function().concurrency();
      inFlight = warm.inFlight();
      lastUsed = warm.lastUsed();
    } else {
      lease = null;
      concurrency = 0;
      inFlight = 0;
    }
    coming =
        switch (next) {
          case SlotState.WarmingUp warming -> warming.function().concurrency();
          case SlotState.Thawing thawing -> thawing.function().concurrency();
          case SlotState.Cold _,
              SlotState.Prewarming _,
              SlotState.Prewarmed _,
              SlotState.Warm _,
              SlotState.Frozen _,
              SlotState.Draining _,
              SlotState.Stopping _,
              SlotState.Closed _ ->
              0;
        };
  }

  /// Calls it will be able to run when its warm-up or thaw is over; 0 in every other state.
  int coming() {
    return coming;
  }

  /// Whether it is warm and may run one call more.
  boolean hasPermit() {
    return inFlight < concurrency;
  }

  /// Whether it is warm, by the warm-up that the lease stands for.
  @SuppressWarnings("ReferenceEquality") // This very lease.
  boolean isWarm(Lease given) {
    return lease == given;
  }

  /// One call more runs in it. It has a permit.
  Lease take(long nowMillis) {
    Lease given = lease;
    if (given == null) {
      throw new IllegalStateException(
          "slot " + id + " is " + state.name() + ": take is not allowed");
    }
    inFlight++;
    accepted++;
    lastAccessMillis = nowMillis;
    return given;
  }

  /// One of its calls has ended. It is warm.
  void give(long now) {
    inFlight--;
    lastUsed = now;
  }

  /// Whether it runs no call. It is warm.
  boolean isIdle() {
    return inFlight == 0;
  }

  /// When it became warm or its last call ended, by the pool's clock. It is warm.
  long lastUsed() {
    return lastUsed;
  }
}
