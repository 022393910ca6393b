package io.easyfaas.controller.pool;

import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The effects of what happens under the pool's lock, until it is released. Not thread-safe; owned
/// by {@link SlotPool} and guarded by its lock, but for {@link #run}.
final class Effects {
  private static final Logger LOG = LoggerFactory.getLogger(SlotPool.class);

  private List<Effect> collected = new ArrayList<>();

  void add(Effect effect) {
    collected.add(effect);
  }

  /// What was collected since the last time; for {@link #run} without the lock.
  List<Effect> take() {
    if (collected.isEmpty()) {
      return List.of();
    }
    List<Effect> taken = collected;
    collected = new ArrayList<>();
    return taken;
  }

  /// Has effects happen, in order. One that fails does not keep the others from it, and of work
  /// that could not begin the pool is told that it has failed: a slot comes out of every state.
  /// Without the lock.
  static void run(List<Effect> effects, SlotWork work, SlotPool pool) {
    if (effects.isEmpty()) {
      return; // As after every warm call: what follows costs more than the rest of it.
    }
    for (Effect effect : effects) {
      try {
        run(effect, work);
      } catch (Throwable e) {
        // Not the effect itself: a function's document has secrets.
        LOG.error("{} failed", effect.getClass().getSimpleName(), e);
        if (effect instanceof Effect.Work lost) {
          tell(pool, lost);
        }
      }
    }
  }

  private static void tell(SlotPool pool, Effect.Work lost) {
    try {
      pool.tell(lost.slot(), lost.notBegun());
    } catch (RuntimeException | Error e) {
      LOG.error("slot {}: it is not known that its work did not begin", lost.slot(), e);
    }
  }

  private static void run(Effect effect, SlotWork work) {
    switch (effect) {
      case Effect.Grant grant -> grant.waiter().granted(grant.lease());
      case Effect.Refuse refuse -> refuse.waiter().refused(refuse.refusal());
      case Effect.WarmUp warmUp ->
          work.warmUp(warmUp.slot(), warmUp.function(), warmUp.requestId());
      case Effect.Prewarm prewarm -> work.prewarm(prewarm.slot(), prewarm.runtime());
      case Effect.Probe probe -> work.probe(probe.slot(), probe.program());
      case Effect.Reset reset -> work.reset(reset.slot(), reset.reason());
      case Effect.Freeze freeze -> work.freeze(freeze.slot());
      case Effect.Thaw thaw -> work.thaw(thaw.slot());
      case Effect.Log log ->
          LOG.info(
              "slot={} {}→{} reason={}{}",
              log.slot(),
              log.from(),
              log.to(),
              log.reason().word(),
              log.detail());
    }
  }
}
