package io.easyfaas.controller.pool;

import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.controller.registry.ResolvedFunction;

/// The slow work a pool decides on. Called without the pool's lock; must return at once and do the
/// work on a thread of its own, which reports the outcome to the pool.
interface SlotWork {
  /// Starts a runner in a cold slot; ends in {@link SlotPool#prewarmed} or {@link
  /// SlotPool#prewarmFailed}.
  void prewarm(int slot, RuntimeConfiguration runtime);

  /// Pauses a slot, if it is still {@link SlotState.Frozen} when its turn comes. Nothing is told.
  void freeze(int slot);

  /// Ends a slot's pause; ends in {@link SlotPool#thawed} or {@link SlotPool#thawFailed}.
  void thaw(int slot);

  /// Puts a function into a cold or prewarmed slot; ends in {@link SlotPool#connected}, {@link
  /// SlotPool#warmupFailed} or {@link SlotPool#loadFailed}.
  ///
  /// @param requestId of the call that needs it, for logs
  void warmUp(int slot, ResolvedFunction function, String requestId);

  /// Makes a slot's sandbox anew; ends in {@link SlotPool#resetDone} or {@link
  /// SlotPool#resetFailed}.
  void reset(int slot, String reason);
}
