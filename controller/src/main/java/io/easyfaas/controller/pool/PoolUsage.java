package io.easyfaas.controller.pool;

import io.easyfaas.common.config.ByteSize;

/// What all slots of a pool together have.
///
/// @param allocatable memory that may be used
/// @param marked memory of slots that hold a function or are being reset
/// @param used memory of slots whose runner is connected
/// @param waiting calls that wait for a slot
public record PoolUsage(ByteSize allocatable, ByteSize marked, ByteSize used, int waiting) {
  static PoolUsage of(Slots slots, int waiting) {
    long marked = 0;
    long used = 0;
    for (Slot slot : slots.all()) {
      SlotState state = slot.state();
      marked += state.marked().bytes();
      used += state instanceof SlotState.Serving ? state.memory().bytes() : 0;
    }
    return new PoolUsage(slots.allocatable(), new ByteSize(marked), new ByteSize(used), waiting);
  }
}
