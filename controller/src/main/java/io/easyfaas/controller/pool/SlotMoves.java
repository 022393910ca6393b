package io.easyfaas.controller.pool;

import io.easyfaas.common.wire.ContainerId;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Moves slots from state to state, and collects what is to be told and done when the pool's lock
/// is released. Not thread-safe; owned by {@link SlotPool} and guarded by its lock.
final class SlotMoves {
  private static final Logger LOG = LoggerFactory.getLogger(SlotMoves.class);

  private final SlotWork work;
  private List<Runnable> actions = new ArrayList<>();

  /// @param work what does the slow part of moves
  SlotMoves(SlotWork work) {
    this.work = work;
  }

  /// Has something done after the lock is released.
  void later(Runnable action) {
    actions.add(action);
  }

  /// Moves a slot, and logs it later.
  void move(Slot slot, SlotState next, String reason) {
    SlotState before = slot.state();
    slot.state(next);
    ContainerId id = slot.id;
    later(() -> LOG.info("slot={} {}→{} reason={}", id, before.name(), next.name(), reason));
  }

  /// Moves a slot out of use, and has it reset later.
  void stop(Slot slot, SlotState.Stopping stopping) {
    move(slot, stopping, stopping.reason());
    int index = slot.index;
    later(() -> work.reset(index, stopping.reason()));
  }

  /// What was collected since the last time; for {@link #run} without the lock.
  List<Runnable> take() {
    if (actions.isEmpty()) {
      return List.of();
    }
    List<Runnable> taken = actions;
    actions = new ArrayList<>();
    return taken;
  }

  /// Does what was collected, in order. The only one that is called without the lock.
  static void run(List<Runnable> toDo) {
    if (toDo.isEmpty()) {
      return; // As after every warm call: what follows costs more than the rest of it.
    }
    for (Runnable action : toDo) {
      try {
        action.run();
      } catch (Throwable e) {
        LOG.error("a pool action failed", e); // The others must still run.
      }
    }
  }

  /// The failure of a move that the slot's state does not have.
  static IllegalStateException refused(Slot slot, String move) {
    return new IllegalStateException(
        "slot " + slot.id + " is " + slot.state().name() + ": " + move + " is not allowed");
  }
}
