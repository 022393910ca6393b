package io.easyfaas.controller.pool;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.controller.registry.FunctionKey;
import io.easyfaas.controller.registry.ResolvedFunction;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Chooses what to do for functions that need a slot. Pure: no clock, no I/O, no lock.
final class Placement {
  /// A function that needs one slot more.
  ///
  /// @param function which one
  /// @param waited how long it has waited without having any slot; zero when it has one
  record Demand(ResolvedFunction function, Duration waited) {
    boolean isOverdue(Duration patience) {
      return waited.compareTo(patience) >= 0;
    }
  }

  /// One thing to do.
  sealed interface Decision {
    /// Put the function into this cold slot.
    record Start(int slot, ResolvedFunction function) implements Decision {}

    /// Reset this idle warm slot to make room.
    record CoolDown(int slot) implements Decision {}

    /// Let this busy warm slot end its calls, then reset it: its function has had its share.
    record Drain(int slot) implements Decision {}

    /// The function is larger than all there is.
    record Refuse(ResolvedFunction function) implements Decision {}
  }

  private Placement() {}

  /// Decides for all demands at once.
  ///
  /// The demand that came first is served first, but one that is overdue (its function has no slot
  /// and has waited for `patience`) goes before those that are not. A demand that must wait keeps
  /// its claim on what is free, so small functions do not starve a large one. Idle slots are taken
  /// from other functions, least recently used first; busy ones only for an overdue demand, and
  /// from the function that has most.
  ///
  /// @param slots every slot, by index
  /// @param demands in order of arrival
  /// @param allocatable memory of all slots together
  static List<Decision> choose(
      List<SlotState> slots, List<Demand> demands, ByteSize allocatable, Duration patience) {
    Room room = new Room(slots, allocatable);
    List<Decision> decisions = new ArrayList<>();
    List<Demand> ordered = new ArrayList<>(demands);
    ordered.sort(Comparator.comparing(demand -> !demand.isOverdue(patience))); // Stable.
    for (Demand demand : ordered) {
      long need = demand.function().memory().bytes();
      if (need > allocatable.bytes()) {
        decisions.add(new Decision.Refuse(demand.function()));
      } else if (room.canStart(need)) {
        decisions.add(new Decision.Start(room.start(need), demand.function()));
      } else {
        room.makeRoom(demand.function().key(), need, demand.isOverdue(patience), decisions);
        room.claim(need);
      }
    }
    return decisions;
  }

  /// The slot that a call of a function should use: of those with a free permit the one used last,
  /// so that the others may cool down. Returns its index in the list, or -1.
  ///
  /// @param slots of one function
  static int reuse(List<Slot> slots) {
    int best = -1;
    long bestUsed = 0;
    for (int i = 0; i < slots.size(); i++) {
      if (slots.get(i).state() instanceof SlotState.Warm warm
          && warm.hasPermit()
          && (best < 0 || warm.lastUsed() - bestUsed > 0)) {
        best = i;
        bestUsed = warm.lastUsed();
      }
    }
    return best;
  }

  /// What is free, and what will be when the resets under way are done. Not thread-safe.
  private static final class Room {
    private record Occupied(int slot, SlotState.Warm warm) {}

    private final ArrayDeque<Integer> cold = new ArrayDeque<>();
    private final List<Occupied> idle = new ArrayList<>();
    private final List<Occupied> busy = new ArrayList<>();
    private final Map<FunctionKey, Integer> owned = new HashMap<>();
    private long free;
    private int comingSlots;
    private long comingMemory;

    Room(List<SlotState> slots, ByteSize allocatable) {
      free = allocatable.bytes();
      for (int i = 0; i < slots.size(); i++) {
        SlotState state = slots.get(i);
        free -= state.memory().bytes();
        switch (state) {
          case SlotState.Cold _ -> cold.add(i);
          case SlotState.Warm warm -> {
            (warm.isIdle() ? idle : busy).add(new Occupied(i, warm));
            owned.merge(warm.function().key(), 1, Integer::sum);
          }
          case SlotState.WarmingUp warming ->
              owned.merge(warming.function().key(), 1, Integer::sum);
          case SlotState.Draining _, SlotState.Stopping _ -> coming(state.memory().bytes());
          case SlotState.Closed _ -> {}
        }
      }
      idle.sort(Comparator.comparingLong(slot -> slot.warm().lastUsed()));
    }

    boolean canStart(long need) {
      return !cold.isEmpty() && free >= need;
    }

    int start(long need) {
      free -= need;
      return cold.remove();
    }

    /// Frees the least that is needed, or nothing when it would not suffice.
    void makeRoom(FunctionKey asking, long need, boolean mayDrain, List<Decision> decisions) {
      List<Occupied> candidates = new ArrayList<>();
      idle.stream().filter(slot -> isOther(slot, asking)).forEach(candidates::add);
      int idleCandidates = candidates.size();
      if (mayDrain) {
        busy.stream()
            .filter(slot -> isOther(slot, asking))
            .sorted(
                Comparator.<Occupied>comparingInt(slot -> -owns(slot))
                    .thenComparingInt(slot -> slot.warm().inFlight()))
            .forEach(candidates::add);
      }
      int taken = 0;
      int slotsThen = cold.size() + comingSlots;
      long memoryThen = free + comingMemory;
      while (taken < candidates.size() && (slotsThen < 1 || memoryThen < need)) {
        slotsThen++;
        memoryThen += candidates.get(taken++).warm().memory().bytes();
      }
      if (slotsThen < 1 || memoryThen < need) {
        return;
      }
      for (int i = 0; i < taken; i++) {
        Occupied victim = candidates.get(i);
        decisions.add(
            i < idleCandidates
                ? new Decision.CoolDown(victim.slot())
                : new Decision.Drain(victim.slot()));
        idle.remove(victim);
        busy.remove(victim);
        owned.merge(victim.warm().function().key(), -1, Integer::sum);
        coming(victim.warm().memory().bytes());
      }
    }

    /// Keeps what a waiting demand will need from those behind it, as far as it is in sight.
    void claim(long need) {
      if (cold.poll() == null) {
        comingSlots = Math.max(0, comingSlots - 1);
      }
      long now = Math.min(Math.max(free, 0), need);
      free -= now;
      comingMemory -= Math.min(comingMemory, need - now);
    }

    private void coming(long memory) {
      comingSlots++;
      comingMemory += memory;
    }

    private int owns(Occupied slot) {
      return owned.getOrDefault(slot.warm().function().key(), 0);
    }

    private static boolean isOther(Occupied slot, FunctionKey asking) {
      return !slot.warm().function().key().equals(asking);
    }
  }
}
