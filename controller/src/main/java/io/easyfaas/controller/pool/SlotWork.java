package io.easyfaas.controller.pool;

import io.easyfaas.controller.registry.ResolvedFunction;

/// The slow work a pool decides on. Called without the pool's lock; must return at once and do the
/// work on a thread of its own, which reports the outcome to the pool.
interface SlotWork {
  /// Puts a function into a cold slot; ends in {@link SlotPool#connected}, {@link
  /// SlotPool#warmupFailed} or {@link SlotPool#loadFailed}.
  ///
  /// @param requestId of the call that needs it, for logs
  void warmUp(int slot, ResolvedFunction function, String requestId);

  /// Makes a slot's sandbox anew; ends in {@link SlotPool#resetDone} or {@link
  /// SlotPool#resetFailed}.
  void reset(int slot, String reason);
}
