package io.easyfaas.controller.pool;

import io.easyfaas.controller.registry.ResolvedFunction;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What the pool keeps of one function, as long as it has slots, calls or waiters. Not thread-safe;
/// owned by {@link SlotPool} and guarded by its lock.
final class Tenancy {
  /// A call in the function's queue.
  static final class Waiting {
    final Waiter waiter;
    final long order;
    final long arrived;
    long deadline;
    int failedWarmups;

    /// A call that just came.
    ///
    /// @param order counts up with every call of the pool
    /// @param arrived by the pool's clock
    /// @param deadline when it is refused unless a warming slot will take it
    Waiting(Waiter waiter, long order, long arrived, long deadline) {
      this.waiter = waiter;
      this.order = order;
      this.arrived = arrived;
      this.deadline = deadline;
    }
  }

  /// A demand with its place in the order of all functions' demands.
  record Arrival(long order, Placement.Demand demand) {}

  ResolvedFunction function;
  final ArrayList<Slot> slots = new ArrayList<>();
  final ArrayDeque<Waiting> waiting = new ArrayDeque<>();
  int inFlight;
  // The one of its slots that became warm or ended a call last, if it still has that one.
  @Nullable Slot usedLast;
  // When it lost its last slot, or was first called.
  private long slotlessSince;

  Tenancy(ResolvedFunction function, long now) {
    this.function = function;
    this.slotlessSince = now;
  }

  /// The slot serves the function no more.
  void leave(Slot slot, long now) {
    if (usedLast == slot) {
      usedLast = null;
    }
    if (slots.remove(slot) && slots.isEmpty()) {
      slotlessSince = now;
    }
  }

  /// The slot that its next call should use, as {@link Placement#reuse} says; null when none has a
  /// free permit. Looks at all slots only when the one used last has none.
  @Nullable Slot reusable() {
    Slot best = usedLast;
    return best != null && best.hasPermit() ? best : Placement.reuse(slots);
  }

  /// Calls that its slots which are warming up or thawing will take.
  int expected() {
    int calls = 0;
    for (Slot slot : slots) {
      calls += slot.coming();
    }
    return calls;
  }

  boolean isUnused() {
    return slots.isEmpty() && waiting.isEmpty() && inFlight == 0;
  }

  boolean mayRunMore() {
    return inFlight < function.maxInFlight();
  }

  /// Whether more calls wait, and may run, than slots on the way will take.
  boolean isShort() {
    return expected() < runnable();
  }

  private long runnable() {
    return Math.min(waiting.size(), (long) function.maxInFlight() - inFlight);
  }

  /// The label of the call at a place in the queue, empty when there is none.
  String labelAt(int position) {
    return waiting.stream().skip(position).findFirst().map(call -> call.waiter.label()).orElse("");
  }

  /// Adds one demand for each slot more that the function could use: one for every `concurrency`
  /// calls that wait, may run, and that no warming slot will take.
  ///
  /// @param max demands that could be met at all
  void addDemands(List<Arrival> arrivals, int max, long now) {
    long mayRun = runnable();
    int expected = expected();
    int position = 0;
    int found = 0;
    for (Waiting call : waiting) {
      if (position >= mayRun || found == max) {
        return;
      }
      if (position >= expected && (position - expected) % function.concurrency() == 0) {
        // A function without a slot may push others aside, for its first one only. What it had
        // counts: who was pushed aside does not push back at once.
        boolean isSlotless = found == 0 && slots.isEmpty();
        Duration waited =
            isSlotless
                ? Duration.ofNanos(Math.min(now - call.arrived, now - slotlessSince))
                : Duration.ZERO;
        arrivals.add(new Arrival(call.order, new Placement.Demand(function, waited)));
        found++;
      }
      position++;
    }
  }
}
