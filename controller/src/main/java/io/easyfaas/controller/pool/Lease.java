package io.easyfaas.controller.pool;

import io.easyfaas.controller.runtime.Runner;

/// The right to have one call run in a warm slot. One object serves all calls of a warm-up, so that
/// a call costs none; it is compared by identity, and after a reset it opens nothing. Immutable;
/// what it leads to is guarded by the pool's lock.
public final class Lease implements Acquisition {
  final PooledFunction function;
  final Slot slot;
  private final Runner runner;

  Lease(PooledFunction function, Slot slot, Runner runner) {
    this.function = function;
    this.slot = slot;
    this.runner = runner;
  }

  /// The slot's index.
  public int slotIndex() {
    return slot.index;
  }

  /// Who runs the call.
  public Runner runner() {
    return runner;
  }
}
