package io.easyfaas.controller.pool;

import io.easyfaas.controller.runtime.Runner;
import java.time.Duration;

/// What becomes of slots: how the work ended that was done to them, how they are lost, taken out of
/// use and aged. Not thread-safe; owned by {@link SlotPool} and guarded by its lock.
final class SlotLife {
  private static final Duration FIRST_RETRY = Duration.ofSeconds(1);
  private static final int MAX_RETRY_DOUBLINGS = 6; // 64 s
  private static final int MAX_FREEZES = 3;

  private final Slots slots;
  private final CallQueue queue;
  private final StandbyFiller standby;
  private final Scheduler scheduler;
  private final Fitness fitness;
  private final PoolLimits limits;

  SlotLife(
      Slots slots,
      CallQueue queue,
      StandbyFiller standby,
      Scheduler scheduler,
      Fitness fitness,
      PoolLimits limits) {
    this.slots = slots;
    this.queue = queue;
    this.standby = standby;
    this.scheduler = scheduler;
    this.fitness = fitness;
    this.limits = limits;
  }

  /// Work on a slot has ended.
  ///
  /// @throws IllegalStateException when the event has no meaning in the slot's state
  void on(Slot slot, SlotEvent event) {
    switch (event) {
      case SlotEvent.Probed probed -> probed(slot, probed.succeeded());
      case SlotEvent.Prewarmed prewarmed -> {
        fitness.succeeded();
        standby.prewarmed(slot, prewarmed.runner());
        scheduler.settle();
      }
      case SlotEvent.PrewarmFailed _ -> {
        fitness.failed();
        standby.prewarmFailed(slot, slots.now());
      }
      case SlotEvent.PrewarmedLost lost -> standby.prewarmedLost(slot, lost.runner(), slots.now());
      case SlotEvent.FreezeFailed _ -> freezeFailed(slot);
      case SlotEvent.Thawed _ -> thawed(slot);
      case SlotEvent.ThawFailed _ -> thawFailed(slot);
      case SlotEvent.WarmupFailed failed ->
          warmupFailed(slot, new Refusal.WarmupFailed(failed.detail(), failed.passes()));
      case SlotEvent.RunnerNotStarted failed -> {
        standby.failed(occupant(slot).function.runtime(), slots.now());
        warmupFailed(slot, new Refusal.WarmupFailed(failed.detail(), false));
      }
      case SlotEvent.WarmupRefused refused -> refused(slot, Reason.WARMUP_FAILED, refused.why());
      case SlotEvent.LoadFailed failed ->
          refused(
              slot, Reason.LOAD_FAILED, new Refusal.LoadFailed(failed.error(), failed.output()));
      case SlotEvent.LoadEnded failed ->
          loadEnded(slot, new Refusal.LoadFailed(failed.error(), failed.output()));
      case SlotEvent.ResetDone _ -> resetDone(slot);
      case SlotEvent.ResetFailed failed -> resetFailed(slot, failed.isUnheard());
    }
  }

  private void probed(Slot slot, boolean succeeded) {
    if (!slot.is(SlotState.Prewarming.class)) {
      throw Slots.refused(slot, "probed");
    }
    fitness.probed(succeeded, slots.now());
    slot.abnormalTimes += succeeded ? 0 : 1;
    slots.stop(slot, Reason.PROBE);
  }

  private void freezeFailed(Slot slot) {
    if (!(slot.state() instanceof SlotState.Frozen frozen)) {
      return;
    }
    slot.abnormalTimes++;
    if (frozen.failures() + 1 < MAX_FREEZES) {
      slots.freezeFailed(slot, frozen, slots.now() + (FIRST_RETRY.toNanos() << frozen.failures()));
    } else {
      slots.stop(slot, Reason.FREEZE_FAILED);
      scheduler.settle();
    }
  }

  private void thawed(Slot slot) {
    if (slot.state() instanceof SlotState.Thawing thawing) {
      slots.move(slot, thawing.thawed(slots.now()), Reason.THAWED);
      isWarm(slot, thawing.lease().function);
    }
  }

  private void thawFailed(Slot slot) {
    if (slot.state() instanceof SlotState.Thawing thawing) {
      slot.abnormalTimes++;
      slots.stop(slot, Reason.THAW_FAILED);
      scheduler.serve(thawing.lease().function);
      scheduler.settle();
    }
  }

  Lease connected(Slot slot, Runner runner, WarmupTimes times) {
    PooledFunction function = occupant(slot);
    if (!(slot.state() instanceof SlotState.WarmingUp warming)) {
      throw Slots.refused(slot, "connected");
    }
    Lease lease = new Lease(function, slot, runner);
    fitness.succeeded();
    slot.times = times;
    slots.move(slot, warming.connected(lease, slots.now()), Reason.CONNECTED);
    isWarm(slot, function);
    return lease;
  }

  private void warmupFailed(Slot slot, Refusal refusal) {
    PooledFunction function = occupant(slot);
    int affected = slot.coming();
    fitness.failed();
    slot.abnormalTimes++;
    slots.stop(slot, Reason.WARMUP_FAILED);
    slot.rejected += queue.retry(function, affected, refusal, slots.now());
    scheduler.serve(function);
    scheduler.settle();
  }

  /// It is the function's fault, so no other slot is tried.
  private void refused(Slot slot, Reason reason, Refusal refusal) {
    PooledFunction function = occupant(slot);
    slot.abnormalTimes++;
    slots.stop(slot, reason);
    slot.rejected += queue.refuseAll(function, refusal);
    scheduler.settle();
  }

  /// The same, when the sandbox is new already.
  private void loadEnded(Slot slot, Refusal.LoadFailed refusal) {
    PooledFunction function = occupant(slot);
    slot.abnormalTimes++;
    slots.end(slot, Reason.LOAD_FAILED);
    slot.rejected += queue.refuseAll(function, refusal);
    resetDone(slot);
  }

  /// A runner is gone; whoever calls resets its slot.
  ///
  /// @return false when the lease's slot was given up before
  boolean lost(Lease lease, Reason reason) {
    Slot slot = lease.slot;
    if (!(slot.state() instanceof SlotState.Serving serving) || serving.lease() != lease) {
      return false;
    }
    slots.end(slot, reason);
    slot.abnormalTimes++;
    scheduler.serve(lease.function);
    scheduler.settle();
    return true;
  }

  void drain(Lease lease, Reason reason) {
    Slot slot = lease.slot;
    if (slot.isWarm(lease) && slot.state() instanceof SlotState.Warm warm) {
      slots.drain(slot, warm, reason);
      scheduler.serve(lease.function);
    }
    scheduler.settle();
  }

  void invalidate(Slot slot) {
    switch (slot.state()) {
      case SlotState.Cold _, SlotState.Prewarmed _, SlotState.Frozen _, SlotState.Closed _ ->
          slots.stop(slot, Reason.INVALIDATED);
      case SlotState.Warm warm -> slots.drain(slot, warm, Reason.INVALIDATED);
      // It is reset when it cannot connect; once warm it may be invalidated again.
      case SlotState.Prewarming _, SlotState.WarmingUp _, SlotState.Thawing _ -> {}
      case SlotState.Draining _, SlotState.Stopping _ -> {}
    }
    scheduler.settle(); // There may be other room to count on now, or less.
  }

  private void resetDone(Slot slot) {
    if (!(slot.state() instanceof SlotState.Stopping stopping)) {
      throw Slots.refused(slot, "resetDone");
    }
    slots.renew(slot, stopping);
    scheduler.settle();
  }

  private void resetFailed(Slot slot, boolean isUnheard) {
    if (!(slot.state() instanceof SlotState.Stopping stopping)) {
      throw Slots.refused(slot, "resetFailed");
    }
    int doublings = isUnheard ? 0 : Math.min(stopping.failures(), MAX_RETRY_DOUBLINGS);
    slot.abnormalTimes++;
    slots.move(
        slot,
        stopping.failed(slots.now() + (FIRST_RETRY.toNanos() << doublings)),
        Reason.RESET_FAILED);
    scheduler.settle(); // Who counted on it has to look elsewhere.
  }

  /// Freezes idle slots, cools them down, has broken ones repaired, or a cold one probed, when it
  /// is time.
  void age() {
    long now = slots.now();
    fitness.probe(slots, now);
    slots.forEach(
        SlotState.Warm.class,
        slot -> {
          if (!slot.isBusy()) {
            ageIdle(slot, now);
          }
        });
    slots.forEach(
        SlotState.Frozen.class,
        slot -> {
          if (now - slot.lastUsed() >= limits.maxIdle().toNanos()) {
            slots.stop(slot, Reason.IDLE);
          } else if (slot.state() instanceof SlotState.Frozen frozen && frozen.isDue(now)) {
            slots.freezeAgain(slot, frozen);
          }
        });
    slots.forEach(
        SlotState.Closed.class,
        slot -> {
          if (slot.state() instanceof SlotState.Closed broken && now - broken.retryAt() >= 0) {
            slots.stop(slot, broken.reason());
          }
        });
  }

  private void ageIdle(Slot slot, long now) {
    long idle = now - slot.lastUsed();
    long freezeAfter = limits.freezeAfter().toNanos();
    if (idle >= limits.maxIdle().toNanos()) {
      slots.stop(slot, Reason.IDLE);
    } else if (freezeAfter > 0
        && idle >= freezeAfter
        && slot.state() instanceof SlotState.Warm warm) {
      slots.freeze(slot, warm);
    }
  }

  private void isWarm(Slot slot, PooledFunction function) {
    function.usedLast = slot;
    scheduler.serve(function);
    scheduler.settle();
  }

  /// The function that a slot is warmed up for.
  private PooledFunction occupant(Slot slot) {
    PooledFunction function = slots.occupant(slot);
    if (function == null || !slot.is(SlotState.WarmingUp.class)) {
      throw Slots.refused(slot, "the end of a warm-up");
    }
    return function;
  }
}
