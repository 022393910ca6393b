package io.easyfaas.controller.pool;

import io.easyfaas.controller.registry.ResolvedFunction;
import java.util.ArrayList;
import java.util.List;

/// Chooses what to do for functions that need a slot. Pure: no clock, no I/O, no lock.
final class Placement {
  /// A function that needs one slot more.
  ///
  /// @param function which one
  /// @param order of the first call that needs it, among all
  /// @param isOverdue whether it has waited without any slot for so long that it may push others
  ///   aside
  record Demand(PooledFunction function, long order, boolean isOverdue) {}

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
  /// A demand that must wait keeps its claim on what is free from those behind it, so small
  /// functions do not starve a large one of their account or of one that holds less. A slot with a
  /// runner of the function's language is better than a cold one. When there is neither, prewarmed
  /// slots are taken first, then idle ones of other functions, least recently used first; busy ones
  /// only for an overdue demand, and from the account and function that have most.
  ///
  /// @param room what there is; used up
  /// @param order the order in which demands are to be met; used up
  static List<Decision> choose(Room room, FairOrder order) {
    List<Decision> decisions = new ArrayList<>();
    // Each demand that waits lays claim to one slot: more than there are find nothing.
    int claims = 0;
    while (claims < room.slots() && order.hasNext()) {
      Demand demand = order.next();
      if (!room.hasAny(demand.isOverdue())) {
        order.leave(); // The account's others may take no more than this one.
        continue;
      }
      int slot = room.start(demand.function());
      if (slot >= 0) {
        decisions.add(new Decision.Start(slot, demand.function().function));
      } else {
        decisions.addAll(room.makeRoom(demand.function(), demand.isOverdue()));
        room.claim(demand.function());
        claims++;
      }
    }
    return decisions;
  }
}
