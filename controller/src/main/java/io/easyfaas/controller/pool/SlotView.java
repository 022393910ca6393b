package io.easyfaas.controller.pool;

import io.easyfaas.common.wire.ContainerId;
import java.time.Instant;

/// One slot at one moment, for the admin API. Immutable.
///
/// @param id the container
/// @param state its state
/// @param lastAccess when a call last got it; the epoch = never
/// @param lastReset when it was last reset; the epoch = never
/// @param times of the last warm-up
/// @param accepted calls that got it
/// @param rejected calls that were to get it and were refused, because its warm-up failed
/// @param abnormalTimes how often it had to be repaired
public record SlotView(
    ContainerId id,
    SlotState state,
    Instant lastAccess,
    Instant lastReset,
    WarmupTimes times,
    long accepted,
    long rejected,
    int abnormalTimes) {
  static SlotView of(Slot slot) {
    return new SlotView(
        slot.id,
        slot.state(),
        Instant.ofEpochMilli(slot.lastAccessMillis),
        Instant.ofEpochMilli(slot.lastResetMillis),
        slot.times,
        slot.accepted,
        slot.rejected,
        slot.abnormalTimes);
  }

  /// Whether it is out of use until it is repaired.
  public boolean isAbnormal() {
    return switch (state) {
      case SlotState.Closed _ -> true;
      case SlotState.Stopping stopping -> !stopping.reason().isPlanned();
      case SlotState.Draining draining -> !draining.reason().isPlanned();
      case SlotState.Cold _,
          SlotState.Prewarming _,
          SlotState.Prewarmed _,
          SlotState.WarmingUp _,
          SlotState.Warm _,
          SlotState.Frozen _,
          SlotState.Thawing _ ->
          false;
    };
  }
}
