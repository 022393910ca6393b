package io.easyfaas.controller.pool;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.controller.registry.ResolvedFunction;
import java.time.Duration;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Slots in states that the test names, at 10 s by the clock of the states.
final class FixedSlots {
  static final long NOW = Duration.ofSeconds(10).toNanos();
  static final SlotState COLD = new SlotState.Cold();

  private final PooledFunctions functions =
      new PooledFunctions(new PoolClock(() -> NOW, InstantSource.system()));

  /// The slots, with so much memory for all of them.
  Slots of(int allocatableMebibytes, List<SlotState> states) {
    Map<ContainerId, SlotState> byId = new LinkedHashMap<>();
    for (SlotState state : states) {
      byId.put(ContainerId.of("pod", byId.size()), state);
    }
    return new Slots(
        byId,
        ByteSize.ofMebibytes(allocatableMebibytes),
        functions,
        new Effects(),
        new PoolClock(() -> NOW, InstantSource.system()));
  }

  PooledFunction pooled(ResolvedFunction function) {
    return functions.of(function);
  }

  /// Warm, last used at 0 s.
  SlotState warm(ResolvedFunction function, int inFlight) {
    Lease lease =
        new Lease(
            pooled(function), new Slot(0, ContainerId.of("pod", 0), COLD), PoolHarness.RUNNER);
    return new SlotState.Warm(function, lease, inFlight, 0);
  }

  /// Being reset since just now.
  static SlotState stopping(int mebibytes) {
    return new SlotState.Stopping(ByteSize.ofMebibytes(mebibytes), Reason.IDLE, 0, NOW);
  }

  static SlotState prewarmed(ResolvedFunction function) {
    return new SlotState.Prewarmed(
        function.runtime(), ByteSize.ofMebibytes(128), PoolHarness.RUNNER);
  }
}
