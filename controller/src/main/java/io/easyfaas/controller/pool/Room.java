package io.easyfaas.controller.pool;

import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.controller.pool.Placement.Decision;
import io.easyfaas.controller.registry.FunctionKey;
import io.easyfaas.controller.registry.ResolvedFunction;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/// What {@link Placement} has to give: what is free, what is coming soon, and what could be taken
/// from others. Not thread-safe; made for one choice, and used up by it. Changes no slot.
///
/// Looks at the slots in the states it needs only when it needs them.
final class Room {
  // Resets and starts of runners take milliseconds; one that takes longer may take much longer.
  private static final Duration SOON = Duration.ofSeconds(1);

  // A slot that was used so lately will most likely be used again at once.
  private static final Duration IN_USE = Duration.ofSeconds(3);

  /// Slots and memory that a demand may count on.
  private record Prospect(int slots, long memory) {
    boolean suffices(long need) {
      return slots >= 1 && memory >= need;
    }

    Prospect with(long more) {
      return new Prospect(slots + 1, memory + more);
    }
  }

  private final Slots slots;
  private final long now;
  private final List<Slot> prewarmed = new ArrayList<>();
  private long free;
  private int cold;
  private int firstCold;
  private int comingSlots;
  private long comingMemory;
  private int draining;
  private long drainingMemory;
  // Collected when they are first needed.
  private @Nullable List<Slot> idle;
  private @Nullable List<Slot> busy;
  private @Nullable Map<FunctionKey, Integer> owned;

  /// @param now by the clock of the states
  Room(Slots slots, long now) {
    this.slots = slots;
    this.now = now;
    this.free = slots.free();
    this.cold = slots.count(SlotState.Cold.class);
    slots.forEach(SlotState.Prewarmed.class, prewarmed::add);
    for (Class<? extends SlotState> moving :
        List.of(SlotState.Prewarming.class, SlotState.Stopping.class)) {
      slots.forEach(moving, this::countIfSoon);
    }
    slots.forEach(
        SlotState.Draining.class,
        slot -> {
          draining++;
          drainingMemory += slot.memory();
        });
  }

  /// How many slots there are, whatever they do.
  int slots() {
    return slots.size();
  }

  /// Whether anything is left to start in or to take.
  ///
  /// @param mayDrain whether busy slots may be taken
  boolean hasAny(boolean mayDrain) {
    return (cold > 0 && free > 0)
        || !prewarmed.isEmpty()
        || !idle().isEmpty()
        || (mayDrain && !busy().isEmpty());
  }

  /// Takes a slot for a function, if there is one and the memory for it; else -1.
  int start(RuntimeConfiguration runtime, long need) {
    for (Slot slot : prewarmed) {
      if (slot.state() instanceof SlotState.Prewarmed waiting
          && waiting.runtime().equals(runtime)
          && free + waiting.memory().bytes() >= need) {
        prewarmed.remove(slot);
        free += waiting.memory().bytes() - need;
        return slot.index;
      }
    }
    if (cold == 0 || free < need) {
      return -1;
    }
    free -= need;
    cold--;
    int found = slots.first(SlotState.Cold.class, firstCold).orElseThrow().index;
    firstCold = found + 1;
    return found;
  }

  /// Frees the least that is needed, or nothing when it would not suffice. Busy slots are drained
  /// only when those that drain already would not suffice either, however long they take.
  List<Decision> makeRoom(FunctionKey asking, long need, boolean mayDrain) {
    Prospect soon = new Prospect(cold + comingSlots, free + comingMemory);
    List<Decision> decisions = new ArrayList<>();
    if (take(asking, need, soon, false, decisions) || !mayDrain) {
      return decisions;
    }
    Prospect later = new Prospect(soon.slots() + draining, soon.memory() + drainingMemory);
    if (take(asking, need, later, true, decisions)) {
      // What drains is this demand's now.
      draining = Math.max(0, draining - 1);
      drainingMemory -= Math.min(drainingMemory, need);
    }
    return decisions;
  }

  /// Keeps what a waiting demand will need from those behind it, as far as it is in sight.
  void claim(long need) {
    if (cold > 0) {
      cold--;
    } else {
      comingSlots = Math.max(0, comingSlots - 1);
    }
    long now = Math.min(Math.max(free, 0), need);
    free -= now;
    comingMemory -= Math.min(comingMemory, need - now);
  }

  /// Takes as many slots, the least valuable first, as it needs for one slot with the memory.
  ///
  /// @param mayDrain whether busy ones may be among them
  /// @return whether that is enough; if not, nothing was taken
  private boolean take(
      FunctionKey asking, long need, Prospect before, boolean mayDrain, List<Decision> decisions) {
    Prospect then = before;
    if (then.suffices(need)) {
      return true;
    }
    PriorityQueue<Slot> candidates = new PriorityQueue<>(this::compareValue);
    candidates.addAll(prewarmed);
    idle().stream()
        .filter(slot -> isOther(slot, asking) && isFair(asking, slot))
        .forEach(candidates::add);
    if (mayDrain) {
      busy().stream().filter(slot -> isOther(slot, asking)).forEach(candidates::add);
    }
    List<Slot> taken = new ArrayList<>();
    while (!then.suffices(need)) {
      Slot victim = candidates.poll();
      if (victim == null) {
        return false;
      }
      taken.add(victim);
      then = then.with(victim.memory());
    }
    for (Slot victim : taken) {
      decisions.add(
          victim.isBusy() ? new Decision.Drain(victim.index) : new Decision.CoolDown(victim.index));
      forget(victim);
      comingSlots++;
      comingMemory += victim.memory();
    }
    return true;
  }

  /// Prewarmed ones first, then idle ones, least recently used first, then busy ones: of the
  /// function with most slots the one with fewest calls.
  private int compareValue(Slot one, Slot other) {
    int rank = Integer.compare(rank(one), rank(other));
    if (rank != 0 || one.is(SlotState.Prewarmed.class)) {
      return rank != 0 ? rank : Integer.compare(one.index, other.index);
    }
    if (!one.isBusy()) {
      return Long.signum(one.lastUsed() - other.lastUsed());
    }
    int owned = Integer.compare(slotsOfItsFunction(other), slotsOfItsFunction(one));
    return owned != 0 ? owned : Integer.compare(one.inFlight(), other.inFlight());
  }

  private static int rank(Slot slot) {
    if (slot.is(SlotState.Prewarmed.class)) {
      return 0;
    }
    return slot.isBusy() ? 2 : 1;
  }

  /// Whether a function may take an idle slot: not one in use from a function that has no more of
  /// them, or one that calls for many at once would push all others aside.
  private boolean isFair(FunctionKey asking, Slot slot) {
    return now - slot.lastUsed() >= IN_USE.toNanos() || slotsOf(asking) < slotsOfItsFunction(slot);
  }

  private void forget(Slot slot) {
    prewarmed.remove(slot);
    idle().remove(slot);
    if (slot.isBusy()) {
      busy().remove(slot);
    }
    ResolvedFunction function = slot.function();
    if (owned != null && function != null) {
      owned.merge(function.key(), -1, Integer::sum);
    }
  }

  private List<Slot> idle() {
    List<Slot> found = idle;
    if (found == null) {
      List<Slot> collected = new ArrayList<>();
      slots.forEach(
          SlotState.Warm.class,
          slot -> {
            if (!slot.isBusy()) {
              collected.add(slot);
            }
          });
      slots.forEach(SlotState.Frozen.class, collected::add);
      found = collected;
      idle = found;
    }
    return found;
  }

  private List<Slot> busy() {
    List<Slot> found = busy;
    if (found == null) {
      List<Slot> collected = new ArrayList<>();
      slots.forEach(
          SlotState.Warm.class,
          slot -> {
            if (slot.isBusy()) {
              collected.add(slot);
            }
          });
      found = collected;
      busy = found;
    }
    return found;
  }

  private int slotsOfItsFunction(Slot slot) {
    ResolvedFunction function = slot.function();
    return function == null ? 0 : slotsOf(function.key());
  }

  private int slotsOf(FunctionKey function) {
    Map<FunctionKey, Integer> counts = owned;
    if (counts == null) {
      counts = new HashMap<>();
      for (Slot each : slots.all()) {
        ResolvedFunction held = each.function();
        if (held != null && !each.is(SlotState.Draining.class)) {
          counts.merge(held.key(), 1, Integer::sum);
        }
      }
      owned = counts;
    }
    return counts.getOrDefault(function, 0);
  }

  private static boolean isOther(Slot slot, FunctionKey asking) {
    ResolvedFunction function = slot.function();
    return function != null && !function.key().equals(asking);
  }

  private void countIfSoon(Slot slot) {
    long since =
        switch (slot.state()) {
          case SlotState.Prewarming starting -> starting.since();
          case SlotState.Stopping stopping -> stopping.since();
          default -> throw new IllegalStateException(slot.id + " is at rest");
        };
    if (now - since < SOON.toNanos()) {
      comingSlots++;
      comingMemory += slot.memory();
    }
  }
}
