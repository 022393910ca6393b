package io.easyfaas.controller.pool;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.controller.runtime.Runner;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Has runners without a function started in cold slots, one at a time, and takes back those that
/// nobody wants any more, as {@link Reserve} says. Not thread-safe; owned by {@link SlotPool} and
/// guarded by its lock.
final class ReserveFiller {
  private final List<Slot> slots;
  private final Reserve reserve;
  private final ByteSize baseMemory;
  private final SlotMoves moves;
  private final SlotWork work;

  /// @param slots the pool's own, by index
  /// @param baseMemory what a slot without a function may use
  ReserveFiller(
      List<Slot> slots, Reserve reserve, ByteSize baseMemory, SlotMoves moves, SlotWork work) {
    this.slots = slots;
    this.reserve = reserve;
    this.baseMemory = baseMemory;
    this.moves = moves;
    this.work = work;
  }

  /// A function of the language was put into a slot, with or without a runner that was ready.
  void wanted(RuntimeConfiguration runtime, long now) {
    if (runtime.startsWithoutCode()) {
      reserve.wanted(runtime, now);
    }
  }

  /// Has one more runner started, if one is missing, there is room, and nothing warms up that it
  /// would hold up.
  void fill(ByteSize allocatable, long now) {
    Slot cold = null;
    long free = allocatable.bytes();
    for (Slot slot : slots) {
      SlotState state = slot.state();
      free -= state.memory().bytes();
      switch (state) {
        case SlotState.Cold _ -> cold = cold == null ? slot : cold;
        case SlotState.WarmingUp _, SlotState.Prewarming _ -> {
          return;
        }
        default -> {}
      }
    }
    if (cold == null || free < baseMemory.bytes()) {
      return;
    }
    RuntimeConfiguration runtime = reserve.missing(ready(), now).orElse(null);
    if (runtime != null && cold.state() instanceof SlotState.Cold state) {
      moves.move(cold, state.prewarm(runtime, baseMemory, now), runtime.name());
      int index = cold.index;
      moves.later(() -> work.prewarm(index, runtime));
    }
  }

  /// Takes back runners that are not needed any more.
  void trim(long now) {
    Map<RuntimeConfiguration, Integer> ready = ready();
    for (Slot slot : slots) {
      if (slot.state() instanceof SlotState.Prewarmed waiting
          && reserve.isSurplus(waiting.runtime(), ready.getOrDefault(waiting.runtime(), 0), now)) {
        ready.merge(waiting.runtime(), -1, Integer::sum);
        moves.stop(slot, waiting.stop(ResetReason.IDLE, now));
      }
    }
  }

  /// A runner is connected.
  void prewarmed(Slot slot, Runner runner) {
    if (!(slot.state() instanceof SlotState.Prewarming prewarming)) {
      throw SlotMoves.refused(slot, "prewarmed");
    }
    moves.move(slot, prewarming.waits(runner), "reserve");
  }

  /// A runner did not start.
  void prewarmFailed(Slot slot, long now) {
    if (!(slot.state() instanceof SlotState.Prewarming prewarming)) {
      throw SlotMoves.refused(slot, "prewarmFailed");
    }
    reserve.failed(prewarming.runtime(), now);
    slot.abnormalTimes++;
    moves.stop(slot, prewarming.stop(ResetReason.PREWARM_FAILED, now));
  }

  /// A runner of the language did not start, though it had a function.
  void failed(RuntimeConfiguration runtime, long now) {
    reserve.failed(runtime, now);
  }

  /// A runner is gone. Nothing happens when it has got a function since.
  @SuppressWarnings("ReferenceEquality") // This very runner.
  void prewarmedLost(Slot slot, Runner runner, long now) {
    if (slot.state() instanceof SlotState.Prewarmed waiting && waiting.runner() == runner) {
      reserve.failed(waiting.runtime(), now);
      slot.abnormalTimes++;
      moves.stop(slot, waiting.stop(ResetReason.RUNNER_EXITED, now));
    }
  }

  private Map<RuntimeConfiguration, Integer> ready() {
    Map<RuntimeConfiguration, Integer> ready = new HashMap<>();
    for (Slot slot : slots) {
      if (slot.state() instanceof SlotState.Prewarmed waiting) {
        ready.merge(waiting.runtime(), 1, Integer::sum);
      }
    }
    return ready;
  }
}
