package io.easyfaas.controller.pool;

import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.controller.registry.ResolvedFunction;
import org.jspecify.annotations.Nullable;

/// One slot's state and history. Not thread-safe; owned by {@link Slots} and guarded by the pool's
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
  private long lastUsed;

  Slot(int index, ContainerId id, SlotState state) {
    this.index = index;
    this.id = id;
    this.state = state;
    state(state);
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
    if (next instanceof SlotState.Frozen frozen) {
      lastUsed = frozen.lastUsed();
    }
  }

  /// Calls it will be able to run when its warm-up or thaw is over; 0 in every other state.
  int coming() {
    return switch (state) {
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

  boolean isFrozen() {
    return state instanceof SlotState.Frozen;
  }

  /// Which state it is in, without the numbers of a warm one.
  Class<? extends SlotState> kind() {
    return state.getClass();
  }

  boolean is(Class<? extends SlotState> kind) {
    return state.getClass() == kind;
  }

  /// Whether its reset has failed, and none has succeeded since.
  boolean isBroken() {
    return switch (state) {
      case SlotState.Closed closed -> closed.failures() > 0;
      case SlotState.Stopping stopping -> stopping.failures() > 0;
      default -> false;
    };
  }

  /// Bytes it holds in the ledger.
  long memory() {
    return state.memory().bytes();
  }

  /// The function it serves or is warmed up for; null when it has none.
  @Nullable ResolvedFunction function() {
    return switch (state) {
      case SlotState.WarmingUp warming -> warming.function();
      case SlotState.Serving serving -> serving.function();
      case SlotState.Cold _,
          SlotState.Prewarming _,
          SlotState.Prewarmed _,
          SlotState.Stopping _,
          SlotState.Closed _ ->
          null;
    };
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

  /// Whether it is warm and runs calls.
  boolean isBusy() {
    return inFlight > 0;
  }

  /// Calls it runs; 0 unless it is warm.
  int inFlight() {
    return inFlight;
  }

  /// When it became warm or its last call ended, by the pool's clock. It is warm or frozen.
  long lastUsed() {
    return lastUsed;
  }
}
