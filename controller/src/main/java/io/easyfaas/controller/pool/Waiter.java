package io.easyfaas.controller.pool;

/// A call that waits for a slot. The pool calls one of `granted` and `refused`, once, on any thread
/// and without holding its lock; they must not block.
public interface Waiter {
  /// The request id, for logs.
  String label();

  /// Bytes the call keeps in memory while it waits.
  int weight();

  /// The call may run; whoever was granted a lease must release it.
  void granted(Lease lease);

  /// The call will not run.
  void refused(Refusal refusal);
}
