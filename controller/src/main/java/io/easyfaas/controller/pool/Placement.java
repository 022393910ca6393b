package io.easyfaas.controller.pool;

import io.easyfaas.controller.registry.ResolvedFunction;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/// Chooses what to do for functions that need a slot. Pure: no clock, no I/O, no lock.
final class Placement {
  /// A function that needs one slot more.
  ///
  /// @param function which one
  /// @param isOverdue whether it has waited without any slot for so long that it may push others
  ///   aside
  record Demand(ResolvedFunction function, boolean isOverdue) {}

  /// One thing to do.
  sealed interface Decision {
    /// Put the function into this slot, which is cold or has a runner of its language.
    record Start(int slot, ResolvedFunction function) implements Decision {}

    /// Reset this idle or prewarmed slot to make room.
    record CoolDown(int slot) implements Decision {}

    /// Let this busy warm slot end its calls, then reset it: its function has had its share.
    record Drain(int slot) implements Decision {}
  }

  private Placement() {}

  /// Decides for all demands at once, as far as there is anything to decide about.
  ///
  /// A demand that must wait keeps its claim on what is free, so small functions do not starve a
  /// large one. A slot with a runner of the function's language is better than a cold one. When
  /// there is neither, prewarmed slots are taken first, then idle ones of other functions, least
  /// recently used first; busy ones only for an overdue demand, and from the function that has
  /// most.
  ///
  /// @param room what there is; used up
  /// @param demands in the order in which they are to be met: first those that are overdue
  static List<Decision> choose(Room room, Iterator<Demand> demands) {
    List<Decision> decisions = new ArrayList<>();
    // Each demand that waits lays claim to one slot: more than there are find nothing.
    int claims = 0;
    while (claims < room.slots() && demands.hasNext()) {
      Demand demand = demands.next();
      if (!room.hasAny(demand.isOverdue())) {
        break; // Those that follow may take no more than this one.
      }
      ResolvedFunction function = demand.function();
      long need = function.memory().bytes();
      int slot = room.start(function.runtime(), need);
      if (slot >= 0) {
        decisions.add(new Decision.Start(slot, function));
      } else {
        decisions.addAll(room.makeRoom(function.key(), need, demand.isOverdue()));
        room.claim(need);
        claims++;
      }
    }
    return decisions;
  }
}
