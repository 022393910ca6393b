package io.easyfaas.controller.pool;

import io.easyfaas.controller.registry.ResolvedFunction;
import java.util.ArrayList;
import org.jspecify.annotations.Nullable;

/// One function as the pool knows it, as long as it has slots, calls or waiters. Not thread-safe;
/// owned by {@link SlotPool} and guarded by its lock.
///
/// Which slots it has, and what they will take when they are warm, is written by {@link Slots} as
/// they move, and by nobody else.
final class PooledFunction {
  final PooledAccount account;
  ResolvedFunction function;
  final CallLine line = new CallLine();
  int inFlight;
  // The one of its slots that became warm or ended a call last, if it still has that one.
  @Nullable Slot usedLast;
  private final ArrayList<Slot> slots = new ArrayList<>();
  // A sum over the slots, kept so that a thousand of them need not be looked at.
  private int coming;
  // When it lost its last slot, or was first called.
  private long slotlessSince;

  PooledFunction(PooledAccount account, ResolvedFunction function, long now) {
    this.account = account;
    this.function = function;
    this.slotlessSince = now;
  }

  /// A slot is being warmed up for it. Called by {@link Slots} only.
  void enter(Slot slot) {
    slots.add(slot);
  }

  /// One of its slots has moved, and will take so many calls more, or fewer. Called by {@link
  /// Slots} only.
  void coming(int change) {
    coming += change;
  }

  /// The slot serves the function no more. Called by {@link Slots} only.
  void leave(Slot slot, long now) {
    if (usedLast == slot) {
      usedLast = null;
    }
    if (slots.remove(slot) && slots.isEmpty()) {
      slotlessSince = now;
    }
  }

  /// The slot that its next call should use: of those with a free permit the one used last, so that
  /// the others may cool down; null when there is none. Looks at all slots only when the one used
  /// last has none.
  @Nullable Slot reusable() {
    Slot latest = usedLast;
    if (latest != null && latest.hasPermit()) {
      return latest;
    }
    Slot best = null;
    for (Slot slot : slots) {
      if (slot.hasPermit() && (best == null || slot.lastUsed() - best.lastUsed() > 0)) {
        best = slot;
      }
    }
    return best;
  }

  /// Its frozen slot that was used last; null when it has none.
  @Nullable Slot frozenLast() {
    Slot best = null;
    for (Slot slot : slots) {
      if (slot.isFrozen() && (best == null || slot.lastUsed() - best.lastUsed() > 0)) {
        best = slot;
      }
    }
    return best;
  }

  /// Slots that serve it or are warmed up for it; one that drains is none of them.
  int slots() {
    return slots.size();
  }

  /// Calls that its slots which are warming up or thawing will take.
  int coming() {
    return coming;
  }

  boolean isUnused() {
    return slots.isEmpty() && line.isEmpty() && inFlight == 0;
  }

  boolean mayRunMore() {
    return inFlight < function.maxInFlight();
  }

  /// Waiting calls that its limit would let run now.
  int runnable() {
    return Math.min(line.size(), function.maxInFlight() - inFlight);
  }

  /// Whether more calls wait, and may run, than slots on their way will take.
  boolean isShort() {
    return coming < runnable();
  }

  /// Whether it has had no slot for so long, and its first call has waited so long, that it may
  /// push others aside. What it had counts: who was pushed aside does not push back at once.
  boolean isOverdue(long patience, long now) {
    return slots.isEmpty()
        && isShort()
        && now - line.first().arrived >= patience
        && now - slotlessSince >= patience;
  }
}
