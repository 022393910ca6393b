package io.easyfaas.controller.pool;

/// What a call gets that asks for a slot.
public sealed interface Acquisition permits Lease, Acquisition.Queued, Acquisition.Refused {
  /// It waits; the pool will tell the {@link Waiter}.
  enum Queued implements Acquisition {
    /// The only value.
    QUEUED
  }

  /// It gets nothing.
  ///
  /// @param refusal why
  record Refused(Refusal refusal) implements Acquisition {}
}
