package io.easyfaas.controller.pool;

import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.controller.pool.Placement.Decision;
import io.easyfaas.controller.registry.ResolvedFunction;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;

/// What {@link Placement} has to give: what is free, what is coming soon, and what could be taken
/// from others. Not thread-safe; made for one choice, and used up by it. Changes no slot.
final class Room {
  // Resets and starts of runners take milliseconds; one that takes longer may take much longer.
  private static final Duration SOON = Duration.ofSeconds(1);

  /// Slots and memory that a demand may count on.
  private record Prospect(int slots, long memory) {
    private static final Prospect NONE = new Prospect(0, 0);

    boolean suffices(long need) {
      return slots >= 1 && memory >= need;
    }

    Prospect with(Prospect more) {
      return new Prospect(slots + more.slots, memory + more.memory);
    }

    Prospect without(long need) {
      return new Prospect(Math.max(0, slots - 1), Math.max(0, memory - need));
    }
  }

  private final Slots slots;
  private final long now;
  private final Holdings holdings;
  private final LongCalls longCalls;
  private final List<Slot> prewarmed = new ArrayList<>();
  private final Victims victims;
  private long free;
  private int cold;
  private int firstCold;
  private int comingSlots;
  private long comingMemory;
  private Prospect draining = Prospect.NONE;
  private Prospect drainingLong = Prospect.NONE;

  /// @param now by the clock of the states
  Room(Slots slots, long now, LongCalls longCalls) {
    this.slots = slots;
    this.now = now;
    this.holdings = new Holdings(slots);
    this.longCalls = longCalls;
    this.victims = new Victims(slots, holdings, longCalls, prewarmed, now);
    this.free = slots.free();
    this.cold = slots.count(SlotState.Cold.class);
    slots.forEach(SlotState.Prewarmed.class, prewarmed::add);
    for (Class<? extends SlotState> moving :
        List.of(SlotState.Prewarming.class, SlotState.Stopping.class)) {
      slots.forEach(moving, this::countIfSoon);
    }
    slots.forEach(SlotState.Draining.class, this::countDraining);
  }

  /// How many slots there are, whatever they do.
  int slots() {
    return slots.size();
  }

  /// The share of the slots or of the memory, whichever is more, that the function's account would
  /// have with a slot more for it.
  double shareWith(PooledFunction function) {
    return holdings.shareWith(function);
  }

  /// Whether anything is left to start in or to take.
  ///
  /// @param mayDrain whether busy slots may be taken
  boolean hasAny(boolean mayDrain) {
    return (cold > 0 && free > 0)
        || !prewarmed.isEmpty()
        || victims.isAnyIdle()
        || (mayDrain && victims.isAnyBusy());
  }

  /// Takes a slot for a function, if there is one for it and the memory; else -1.
  int start(PooledFunction asking) {
    if (longCalls.isAtLimit(asking.function)) {
      return -1;
    }
    int found = free(asking.function.runtime(), need(asking));
    if (found >= 0) {
      holdings.give(asking);
      longCalls.given(asking.function);
    }
    return found;
  }

  private int free(RuntimeConfiguration runtime, long need) {
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
  /// only when those that drain already would not suffice either, and those whose calls may take
  /// longer than anybody waits only when nothing else is left.
  List<Decision> makeRoom(PooledFunction asking, boolean mayDrain) {
    Prospect soon =
        longCalls.isAtLimit(asking.function)
            ? Prospect.NONE
            : new Prospect(cold + comingSlots, free + comingMemory);
    List<Decision> decisions = new ArrayList<>();
    if (take(asking, soon, Victims.Reach.IDLE, decisions) || !mayDrain) {
      return decisions;
    }
    if (take(asking, soon.with(draining), Victims.Reach.BUSY, decisions)) {
      draining = draining.without(need(asking)); // What drains is this demand's now.
    } else if (take(
        asking, soon.with(draining).with(drainingLong), Victims.Reach.LONG, decisions)) {
      drainingLong = drainingLong.without(need(asking));
    }
    return decisions;
  }

  /// Keeps what a waiting demand will need from those behind it, as far as it is in sight, and may
  /// be the demand's.
  void claim(PooledFunction asking) {
    holdings.give(asking);
    if (longCalls.isAtLimit(asking.function)) {
      return;
    }
    longCalls.given(asking.function);
    long need = need(asking);
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
  /// @return whether that is enough; if not, nothing was taken
  private boolean take(
      PooledFunction asking, Prospect before, Victims.Reach reach, List<Decision> decisions) {
    Prospect then = before;
    long need = need(asking);
    if (then.suffices(need)) {
      return true;
    }
    List<Slot> taken = new ArrayList<>();
    PriorityQueue<Slot> candidates = victims.of(asking, reach);
    while (!then.suffices(need)) {
      Slot victim = candidates.poll();
      if (victim == null) {
        return false;
      }
      taken.add(victim);
      then = then.with(new Prospect(1, victim.memory()));
    }
    for (Slot victim : taken) {
      decisions.add(
          victim.isBusy() ? new Decision.Drain(victim.index) : new Decision.CoolDown(victim.index));
      victims.take(victim);
      comingSlots++;
      comingMemory += victim.memory();
    }
    return true;
  }

  private static long need(PooledFunction asking) {
    return asking.function.memory().bytes();
  }

  private void countDraining(Slot slot) {
    ResolvedFunction function = slot.function();
    Prospect its = new Prospect(1, slot.memory());
    if (function != null && longCalls.mayTakeLong(function)) {
      drainingLong = drainingLong.with(its);
    } else {
      draining = draining.with(its);
    }
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
