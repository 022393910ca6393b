package io.easyfaas.controller.pool;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.controller.registry.FunctionKey;
import io.easyfaas.controller.registry.ResolvedFunction;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

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
    /// Put the function into this slot, which is cold or has a runner of its language.
    record Start(int slot, ResolvedFunction function) implements Decision {}

    /// Reset this idle or prewarmed slot to make room.
    record CoolDown(int slot) implements Decision {}

    /// Let this busy warm slot end its calls, then reset it: its function has had its share.
    record Drain(int slot) implements Decision {}

    /// The function is larger than all there is.
    record Refuse(ResolvedFunction function) implements Decision {}
  }

  // Resets and starts of runners take milliseconds; one that takes longer may take much longer.
  private static final Duration SOON = Duration.ofSeconds(1);

  private Placement() {}

  /// Decides for all demands at once.
  ///
  /// The demand that came first is served first, but one that is overdue (its function has no slot
  /// and has waited for `patience`) goes before those that are not. A demand that must wait keeps
  /// its claim on what is free, so small functions do not starve a large one. A slot with a runner
  /// of the function's language is better than a cold one. When there is neither, prewarmed slots
  /// are taken first, then idle ones of other functions, least recently used first; busy ones only
  /// for an overdue demand, and from the function that has most.
  ///
  /// @param slots every slot, by index
  /// @param demands in order of arrival
  /// @param allocatable memory of all slots together
  /// @param now by the clock of the states
  static List<Decision> choose(
      List<SlotState> slots,
      List<Demand> demands,
      ByteSize allocatable,
      Duration patience,
      long now) {
    Room room = new Room(slots, allocatable, now);
    List<Decision> decisions = new ArrayList<>();
    List<Demand> ordered = new ArrayList<>(demands);
    ordered.sort(Comparator.comparing(demand -> !demand.isOverdue(patience))); // Stable.
    for (Demand demand : ordered) {
      long need = demand.function().memory().bytes();
      if (need > allocatable.bytes()) {
        decisions.add(new Decision.Refuse(demand.function()));
      } else {
        int slot = room.start(demand.function().runtime(), need);
        if (slot >= 0) {
          decisions.add(new Decision.Start(slot, demand.function()));
        } else {
          room.makeRoom(demand.function().key(), need, demand.isOverdue(patience), decisions);
          room.claim(need);
        }
      }
    }
    return decisions;
  }

  /// The slot that a call of a function should use: of those with a free permit the one used last,
  /// so that the others may cool down; null when there is none.
  ///
  /// @param slots of one function
  static @Nullable Slot reuse(List<Slot> slots) {
    Slot best = null;
    for (Slot slot : slots) {
      if (slot.hasPermit() && (best == null || slot.lastUsed() - best.lastUsed() > 0)) {
        best = slot;
      }
    }
    return best;
  }

  /// What is free, and what will be when the resets under way are done. Not thread-safe.
  private static final class Room {
    private record Occupied(int slot, SlotState.Serving state, long lastUsed) {}

    private record Prewarmed(int slot, SlotState.Prewarmed state) {}

    private record Victim(Decision decision, long memory) {
      int slot() {
        return switch (decision) {
          case Decision.CoolDown coolDown -> coolDown.slot();
          case Decision.Drain drain -> drain.slot();
          case Decision.Start _, Decision.Refuse _ -> throw new IllegalStateException();
        };
      }
    }

    private final ArrayDeque<Integer> cold = new ArrayDeque<>();
    private final List<Prewarmed> prewarmed = new ArrayList<>();
    private final List<Occupied> idle = new ArrayList<>();
    private final List<Occupied> busy = new ArrayList<>();
    private final Map<FunctionKey, Integer> owned = new HashMap<>();
    private final long now;
    private long free;
    private int draining;
    private long drainingMemory;
    private int comingSlots;
    private long comingMemory;

    Room(List<SlotState> slots, ByteSize allocatable, long now) {
      this.now = now;
      free = allocatable.bytes();
      for (int i = 0; i < slots.size(); i++) {
        SlotState state = slots.get(i);
        free -= state.memory().bytes();
        switch (state) {
          case SlotState.Cold _ -> cold.add(i);
          case SlotState.Prewarmed waiting -> prewarmed.add(new Prewarmed(i, waiting));
          case SlotState.Warm warm -> {
            (warm.isIdle() ? idle : busy).add(new Occupied(i, warm, warm.lastUsed()));
            owns(warm.function());
          }
          case SlotState.Frozen frozen -> {
            idle.add(new Occupied(i, frozen, frozen.lastUsed()));
            owns(frozen.function());
          }
          case SlotState.Thawing thawing -> owns(thawing.function());
          case SlotState.WarmingUp warming -> owns(warming.function());
          case SlotState.Prewarming starting -> comingSince(starting.since(), starting.memory());
          case SlotState.Stopping stopping -> comingSince(stopping.since(), stopping.memory());
          case SlotState.Draining _ -> {
            draining++;
            drainingMemory += state.memory().bytes();
          }
          case SlotState.Closed _ -> {}
        }
      }
      idle.sort(Comparator.comparingLong(Occupied::lastUsed));
    }

    /// Takes a slot for a function, if there is one and the memory for it; else -1.
    int start(RuntimeConfiguration runtime, long need) {
      for (Prewarmed waiting : prewarmed) {
        long held = waiting.state().memory().bytes();
        if (waiting.state().runtime().equals(runtime) && free + held >= need) {
          prewarmed.remove(waiting);
          free += held - need;
          return waiting.slot();
        }
      }
      if (cold.isEmpty() || free < need) {
        return -1;
      }
      free -= need;
      return cold.remove();
    }

    /// Frees the least that is needed, or nothing when it would not suffice. Busy slots are drained
    /// only when those that drain already would not suffice either, however long they take.
    void makeRoom(FunctionKey asking, long need, boolean mayDrain, List<Decision> decisions) {
      List<Victim> victims = new ArrayList<>();
      for (Prewarmed waiting : prewarmed) {
        victims.add(
            new Victim(new Decision.CoolDown(waiting.slot()), waiting.state().memory().bytes()));
      }
      for (Occupied slot : idle) {
        if (isOther(slot, asking)) {
          victims.add(new Victim(new Decision.CoolDown(slot.slot()), memory(slot)));
        }
      }
      int slotsThen = cold.size() + comingSlots;
      long memoryThen = free + comingMemory;
      if (take(victims, slotsThen, memoryThen, need, decisions) || !mayDrain) {
        return;
      }
      busy.stream()
          .filter(slot -> isOther(slot, asking))
          .sorted(
              Comparator.<Occupied>comparingInt(
                      slot -> -owned.getOrDefault(slot.state().function().key(), 0))
                  .thenComparingInt(slot -> slot.state().inFlight()))
          .forEach(slot -> victims.add(new Victim(new Decision.Drain(slot.slot()), memory(slot))));
      if (take(victims, slotsThen + draining, memoryThen + drainingMemory, need, decisions)) {
        drainingMemory -= Math.min(drainingMemory, need);
        draining = Math.max(0, draining - 1);
      }
    }

    /// Takes as many victims, in their order, as it needs for one slot with the memory.
    private boolean take(
        List<Victim> victims,
        int slotsBefore,
        long memoryBefore,
        long need,
        List<Decision> decisions) {
      int taken = 0;
      int slots = slotsBefore;
      long memory = memoryBefore;
      while (taken < victims.size() && (slots < 1 || memory < need)) {
        slots++;
        memory += victims.get(taken++).memory();
      }
      if (slots < 1 || memory < need) {
        return false;
      }
      for (Victim victim : victims.subList(0, taken)) {
        decisions.add(victim.decision());
        forget(victim.slot());
        coming(victim.memory());
      }
      return true;
    }

    private void forget(int slot) {
      prewarmed.removeIf(waiting -> waiting.slot() == slot);
      for (List<Occupied> occupied : List.of(idle, busy)) {
        occupied.removeIf(each -> {
          if (each.slot() != slot) {
            return false;
          }
          owned.merge(each.state().function().key(), -1, Integer::sum);
          return true;
        });
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

    private void comingSince(long since, ByteSize memory) {
      if (now - since < SOON.toNanos()) {
        coming(memory.bytes());
      }
    }

    private static long memory(Occupied slot) {
      return slot.state().memory().bytes();
    }

    private void coming(long memory) {
      comingSlots++;
      comingMemory += memory;
    }

    private void owns(ResolvedFunction function) {
      owned.merge(function.key(), 1, Integer::sum);
    }

    private static boolean isOther(Occupied slot, FunctionKey asking) {
      return !slot.state().function().key().equals(asking);
    }
  }
}
