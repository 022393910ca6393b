package io.easyfaas.controller.pool;

import io.easyfaas.controller.runtime.Runner;

/// The right to have one call run in a warm slot. One object serves all calls of a warm-up, so that
/// a call costs none; it is compared by identity, and after a reset it opens nothing.
public final class Lease implements Acquisition {
  private final int slot;
  private final Runner runner;

  Lease(int slot, Runner runner) {
    this.slot = slot;
    this.runner = runner;
  }

  /// The slot's index.
  public int slot() {
    return slot;
  }

  /// Who runs the call.
  public Runner runner() {
    return runner;
  }
}
