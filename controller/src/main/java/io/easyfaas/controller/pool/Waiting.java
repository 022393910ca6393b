package io.easyfaas.controller.pool;

/// A call in its function's line. Not thread-safe; owned by {@link CallQueue} and guarded by the
/// pool's lock.
final class Waiting {
  final Waiter waiter;
  final long order;
  final long arrived;
  long deadline;
  int failedWarmups;

  /// A call that just came.
  ///
  /// @param order counts up with every call of the pool
  /// @param arrived by the pool's clock
  /// @param deadline when it is refused unless a slot on its way will take it
  Waiting(Waiter waiter, long order, long arrived, long deadline) {
    this.waiter = waiter;
    this.order = order;
    this.arrived = arrived;
    this.deadline = deadline;
  }
}
