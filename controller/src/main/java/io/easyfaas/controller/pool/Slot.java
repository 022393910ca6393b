package io.easyfaas.controller.pool;

import io.easyfaas.common.wire.ContainerId;

/// One slot's state and history. Not thread-safe; owned by {@link SlotPool} and guarded by its
/// lock.
final class Slot {
  final int index;
  final ContainerId id;
  long lastAccessMillis;
  long lastResetMillis;
  WarmupTimes times = WarmupTimes.NONE;
  long accepted;
  long rejected;
  int abnormalTimes;
  private SlotState state;

  Slot(int index, ContainerId id, SlotState state) {
    this.index = index;
    this.id = id;
    this.state = state;
  }

  SlotState state() {
    return state;
  }

  void state(SlotState next) {
    state = next;
  }
}
