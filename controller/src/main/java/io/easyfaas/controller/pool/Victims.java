package io.easyfaas.controller.pool;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/// Who gives up a slot when there is none to start in. Not thread-safe; made for one choice of
/// {@link Placement}, changes no slot.
///
/// Collects the slots when it is first asked.
final class Victims {
  // A slot that was used so lately will most likely be used again at once: who calls for many at a
  // time would push all others aside if it might take those.
  private static final Duration IN_USE = Duration.ofSeconds(3);

  /// How far a demand may go. Each includes those before it.
  enum Reach {
    /// What waits for nobody or is idle; of what is in use no more than from the largest account.
    IDLE,
    /// Also what is in use or busy, and will be given back soon.
    BUSY,
    /// Also what is busy with calls that may take long.
    LONG
  }

  private final Slots slots;
  private final Holdings holdings;
  private final LongCalls longCalls;
  private final long now;
  private final List<Slot> prewarmed;
  private @Nullable List<Slot> idle;
  private @Nullable List<Slot> busy;

  /// @param prewarmed those that are still to be had; the caller changes it
  /// @param now by the clock of the states
  Victims(Slots slots, Holdings holdings, LongCalls longCalls, List<Slot> prewarmed, long now) {
    this.slots = slots;
    this.holdings = holdings;
    this.longCalls = longCalls;
    this.prewarmed = prewarmed;
    this.now = now;
  }

  boolean isAnyIdle() {
    return !idle().isEmpty();
  }

  boolean isAnyBusy() {
    return !busy().isEmpty();
  }

  /// What may be taken for a function, the least valuable first: prewarmed ones, then idle ones,
  /// least recently used first, then those in use or busy: of the account with the largest share
  /// the idle ones, then of its function with most slots the one with fewest calls.
  PriorityQueue<Slot> of(PooledFunction asking, Reach reach) {
    PriorityQueue<Slot> candidates = new PriorityQueue<>(this::compareValue);
    boolean isAtLimit = longCalls.isAtLimit(asking.function);
    double leastShare = reach == Reach.IDLE ? holdings.largestShare() : 0;
    if (!isAtLimit) {
      candidates.addAll(prewarmed);
    }
    for (Slot slot : idle()) {
      PooledFunction holder = holder(slot);
      if (holder != asking
          && (!isAtLimit || longCalls.is(holder.function))
          && (!isInUse(slot) || mayTakeInUse(asking, holder, leastShare))) {
        candidates.add(slot);
      }
    }
    for (Slot slot : reach == Reach.IDLE ? List.<Slot>of() : busy()) {
      PooledFunction holder = holder(slot);
      if (holder != asking
          && (!isAtLimit || longCalls.is(holder.function))
          && (reach == Reach.LONG || !longCalls.mayTakeLong(holder.function))
          && (holder.account == asking.account || holdings.mayPushAside(asking, holder))) {
        candidates.add(slot);
      }
    }
    return candidates;
  }

  /// Takes one: nobody else gets it.
  void take(Slot slot) {
    prewarmed.remove(slot);
    idle().remove(slot);
    if (slot.is(SlotState.Prewarmed.class)) {
      return;
    }
    PooledFunction holder = holder(slot);
    if (busy().remove(slot)) {
      holdings.drain(holder);
    } else {
      holdings.take(holder, slot.memory());
      longCalls.taken(holder.function, slot.memory());
    }
  }

  /// @param leastShare that another account must have
  private boolean mayTakeInUse(PooledFunction asking, PooledFunction holder, double leastShare) {
    return holdings.mayPushAside(asking, holder)
        && (holder.account == asking.account || share(holder) >= leastShare);
  }

  private int compareValue(Slot one, Slot other) {
    int rank = Integer.compare(rank(one), rank(other));
    if (rank != 0) {
      return rank;
    }
    if (one.is(SlotState.Prewarmed.class)) {
      return Integer.compare(one.index, other.index);
    }
    PooledFunction its = holder(one);
    PooledFunction others = holder(other);
    int larger = isInUse(one) ? Double.compare(share(others), share(its)) : 0;
    if (larger != 0) {
      return larger;
    }
    if (!one.isBusy() || !other.isBusy()) {
      return one.isBusy() == other.isBusy()
          ? Long.signum(one.lastUsed() - other.lastUsed())
          : Boolean.compare(one.isBusy(), other.isBusy());
    }
    int more = Integer.compare(holdings.slotsOf(others), holdings.slotsOf(its));
    return more != 0 ? more : Integer.compare(one.inFlight(), other.inFlight());
  }

  private int rank(Slot slot) {
    if (slot.is(SlotState.Prewarmed.class)) {
      return 0;
    }
    if (!isInUse(slot)) {
      return 1;
    }
    return slot.isBusy() && longCalls.mayTakeLong(holder(slot).function) ? 3 : 2;
  }

  private double share(PooledFunction function) {
    return holdings.share(function.account);
  }

  private boolean isInUse(Slot slot) {
    return slot.isBusy() || now - slot.lastUsed() < IN_USE.toNanos();
  }

  private PooledFunction holder(Slot slot) {
    PooledFunction holder = slots.occupant(slot);
    if (holder == null) {
      throw new IllegalStateException(slot.id + " is " + slot.state().name() + " and nobody's");
    }
    return holder;
  }

  private List<Slot> idle() {
    List<Slot> found = idle;
    if (found == null) {
      found = warm(false);
      slots.forEach(SlotState.Frozen.class, found::add);
      idle = found;
    }
    return found;
  }

  private List<Slot> busy() {
    List<Slot> found = busy;
    if (found == null) {
      found = warm(true);
      busy = found;
    }
    return found;
  }

  private List<Slot> warm(boolean isBusy) {
    List<Slot> collected = new ArrayList<>();
    slots.forEach(
        SlotState.Warm.class,
        slot -> {
          if (slot.isBusy() == isBusy) {
            collected.add(slot);
          }
        });
    return collected;
  }
}
