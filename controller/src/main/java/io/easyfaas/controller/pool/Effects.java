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

  /// Has effects happen, in order. One that fails does not keep the others from it. Work that could
  /// not begin has failed: what follows from that happens too, at the end. Without the lock.
  ///
  /// @param effects of {@link #take}; others may be added
  static void run(List<Effect> effects, SlotWork work, SlotPool pool) {
    // By index, which is quick after every warm call, and because the list may grow.
    for (int i = 0; i < effects.size(); i++) {
      Effect effect = effects.get(i);
      try {
        run(effect, work);
      } catch (Throwable e) {
        // Not the effect itself: a function's document has secrets.
        String what = effect.getClass().getSimpleName();
        if (effect instanceof Effect.Work lost) {
          LOG.error("slot={} {} could not begin: {}", lost.slot(), what, e.toString());
          effects.addAll(failed(lost, pool));
        } else {
          LOG.error("{} failed", what, e);
        }
      }
    }
  }

  private static List<Effect> failed(Effect.Work lost, SlotPool pool) {
    try {
      return pool.told(lost.slot(), lost.notBegun());
    } catch (RuntimeException | Error e) {
      LOG.error("slot={} its work did not begin, and it is not known", lost.slot(), e);
      return List.of();
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
