package io.easyfaas.controller.pool;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.controller.runtime.Runner;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// Has runners without a function started in cold slots, one at a time, and takes back those that
/// nobody wants any more, as {@link Standby} says. Not thread-safe; owned by {@link SlotPool} and
/// guarded by its lock.
final class StandbyFiller {
  private final Slots slots;
  private final Standby standby;
  private final ByteSize baseMemory;

  /// @param baseMemory what a slot without a function may use
  StandbyFiller(Slots slots, Standby standby, ByteSize baseMemory) {
    this.slots = slots;
    this.standby = standby;
    this.baseMemory = baseMemory;
  }

  /// A function of the language was put into a slot, with or without a runner that was ready.
  void wanted(RuntimeConfiguration runtime, long now) {
    if (runtime.startsWithoutCode()) {
      standby.wanted(runtime, now);
    }
  }

  /// A runner of the language did not start, though it had a function.
  void failed(RuntimeConfiguration runtime, long now) {
    standby.failed(runtime, now);
  }

  /// Has one more runner started, if one is missing, there is room, and nothing warms up that it
  /// would hold up.
  void fill(long now) {
    Optional<Slot> cold = slots.first(SlotState.Cold.class, 0);
    if (cold.isEmpty()
        || slots.free() < baseMemory.bytes()
        || slots.isAny(SlotState.WarmingUp.class)
        || slots.isAny(SlotState.Prewarming.class)) {
      return;
    }
    RuntimeConfiguration runtime = standby.missing(ready(), now).orElse(null);
    if (runtime != null) {
      slots.prewarm(cold.get(), runtime, baseMemory);
    }
  }

  /// Takes back runners that are not needed any more.
  void trim(long now) {
    Map<RuntimeConfiguration, Integer> ready = ready();
    slots.forEach(
        SlotState.Prewarmed.class,
        slot -> {
          if (slot.state() instanceof SlotState.Prewarmed waiting
              && standby.isSurplus(
                  waiting.runtime(), ready.getOrDefault(waiting.runtime(), 0), now)) {
            ready.merge(waiting.runtime(), -1, Integer::sum);
            slots.stop(slot, Reason.IDLE);
          }
        });
  }

  /// A runner is connected.
  void prewarmed(Slot slot, Runner runner) {
    if (!(slot.state() instanceof SlotState.Prewarming prewarming)) {
      throw Slots.refused(slot, "prewarmed");
    }
    slots.move(slot, prewarming.waits(runner), Reason.CONNECTED);
  }

  /// A runner did not start.
  void prewarmFailed(Slot slot, long now) {
    if (!(slot.state() instanceof SlotState.Prewarming prewarming)) {
      throw Slots.refused(slot, "prewarmFailed");
    }
    standby.failed(prewarming.runtime(), now);
    slot.abnormalTimes++;
    slots.stop(slot, Reason.PREWARM_FAILED);
  }

  /// A runner is gone. Nothing happens when it has got a function since.
  @SuppressWarnings("ReferenceEquality") // This very runner.
  void prewarmedLost(Slot slot, Runner runner, long now) {
    if (slot.state() instanceof SlotState.Prewarmed waiting && waiting.runner() == runner) {
      standby.failed(waiting.runtime(), now);
      slot.abnormalTimes++;
      slots.stop(slot, Reason.RUNNER_EXITED);
    }
  }

  private Map<RuntimeConfiguration, Integer> ready() {
    Map<RuntimeConfiguration, Integer> ready = new HashMap<>();
    slots.forEach(
        SlotState.Prewarmed.class,
        slot -> {
          if (slot.state() instanceof SlotState.Prewarmed waiting) {
            ready.merge(waiting.runtime(), 1, Integer::sum);
          }
        });
    return ready;
  }
}
