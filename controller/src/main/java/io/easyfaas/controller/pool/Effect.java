package io.easyfaas.controller.pool;

import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.controller.registry.ResolvedFunction;

/// What a change of the pool's state has to be followed by, outside of its lock. Immutable.
sealed interface Effect {
  /// A call may run.
  record Grant(Waiter waiter, Lease lease) implements Effect {}

  /// A call will not run.
  record Refuse(Waiter waiter, Refusal refusal) implements Effect {}

  /// Slow work on a slot.
  sealed interface Work extends Effect permits WarmUp, Prewarm, Probe, Reset, Freeze, Thaw {
    /// By index.
    int slot();

    /// How it has ended when it could not even begin, for example because there is no thread left.
    SlotEvent notBegun();
  }

  /// A function is to be put into a slot.
  ///
  /// @param requestId of the call that needs it
  record WarmUp(int slot, ResolvedFunction function, String requestId) implements Work {
    @Override
    public SlotEvent notBegun() {
      return new SlotEvent.WarmupFailed("no warm-up could be begun", true);
    }
  }

  /// A runner is to be started in a slot.
  record Prewarm(int slot, RuntimeConfiguration runtime) implements Work {
    @Override
    public SlotEvent notBegun() {
      return new SlotEvent.PrewarmFailed();
    }
  }

  /// It is to be tried whether a slot can take code.
  record Probe(int slot, RuntimeConfiguration program) implements Work {
    @Override
    public SlotEvent notBegun() {
      return new SlotEvent.Probed(false);
    }
  }

  /// A slot's sandbox is to be made anew.
  record Reset(int slot, Reason reason) implements Work {
    @Override
    public SlotEvent notBegun() {
      return new SlotEvent.ResetFailed(true);
    }
  }

  /// A slot is to be paused.
  record Freeze(int slot) implements Work {
    @Override
    public SlotEvent notBegun() {
      return new SlotEvent.FreezeFailed();
    }
  }

  /// A slot's pause is to end.
  record Thaw(int slot) implements Work {
    @Override
    public SlotEvent notBegun() {
      return new SlotEvent.ThawFailed();
    }
  }

  /// A slot has moved.
  ///
  /// @param detail further words, each with a space before it; may be empty
  record Log(ContainerId slot, String from, String to, Reason reason, String detail)
      implements Effect {}
}
