package io.easyfaas.controller.pool;

import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.controller.registry.ResolvedFunction;

/// The slow work a pool decides on. Called without the pool's lock, but for {@link #isPossible};
/// must return at once and do the work on a thread of its own, which tells the outcome to {@link
/// SlotPool#tell}. One that throws has not begun, and the pool takes the work for failed.
public interface SlotWork {
  /// Whether there is anybody who does it. Does not block, and calls nobody.
  boolean isPossible();

  /// Starts a runner in a cold slot; ends in {@link SlotEvent.Prewarmed} or {@link
  /// SlotEvent.PrewarmFailed}.
  void prewarm(int slot, RuntimeConfiguration runtime);

  /// Tries whether a cold slot can take code; ends in {@link SlotEvent.Probed}.
  ///
  /// @param program needs no function, and ends at once
  void probe(int slot, RuntimeConfiguration program);

  /// Pauses a slot, if it is still {@link SlotState.Frozen} when its turn comes. Only a failure is
  /// told: {@link SlotEvent.FreezeFailed}.
  void freeze(int slot);

  /// Ends a slot's pause; ends in {@link SlotEvent.Thawed} or {@link SlotEvent.ThawFailed}.
  void thaw(int slot);

  /// Puts a function into a cold or prewarmed slot; ends in {@link SlotPool#connected}, {@link
  /// SlotEvent.WarmupFailed}, {@link SlotEvent.RunnerNotStarted}, {@link SlotEvent.WarmupRefused},
  /// {@link SlotEvent.LoadFailed} or {@link SlotEvent.LoadEnded}.
  ///
  /// @param requestId of the call that needs it, for logs
  void warmUp(int slot, ResolvedFunction function, String requestId);

  /// Makes a slot's sandbox anew; ends in {@link SlotEvent.ResetDone} or {@link
  /// SlotEvent.ResetFailed}.
  void reset(int slot, Reason reason);
}
