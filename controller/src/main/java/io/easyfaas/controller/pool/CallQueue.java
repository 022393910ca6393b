package io.easyfaas.controller.pool;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/// The calls that wait, over the queues of all functions: how many there may be, for how long, and
/// in which order they need slots. Not thread-safe; owned by {@link SlotPool} and guarded by its
/// lock.
final class CallQueue {
  private static final int MAX_WARMUPS_A_CALL = 2;
  // Longer than a warm-up and the reset after it may take, see docs/state-machine.md.
  private static final Duration LAST_RESORT = Duration.ofMinutes(2);

  private final PoolLimits limits;
  private final Tenancies tenancies;
  private final SlotMoves moves;
  private long arrivals;
  private int calls;
  private long bytes;

  /// @param moves tells calls what became of them
  CallQueue(PoolLimits limits, Tenancies tenancies, SlotMoves moves) {
    this.limits = limits;
    this.tenancies = tenancies;
    this.moves = moves;
  }

  boolean isEmpty() {
    return calls == 0;
  }

  int size() {
    return calls;
  }

  /// Why a call may not wait; null when it may.
  @Nullable Refusal overload(Waiter waiter) {
    if (calls >= limits.maxQueue()) {
      return new Refusal.Overloaded(calls + " calls wait already");
    }
    if (bytes + waiter.weight() > limits.maxQueueBytes()) {
      return new Refusal.Overloaded("calls with " + bytes + " bytes wait already");
    }
    return null;
  }

  /// A call waits from now on, behind its function's others.
  void add(Tenancy tenancy, Waiter waiter, long now) {
    tenancy.waiting.add(new Tenancy.Waiting(waiter, arrivals++, now, deadline(now)));
    calls++;
    bytes += waiter.weight();
  }

  /// Takes a call out whose client is gone.
  ///
  /// @return whether it waited
  @SuppressWarnings("ReferenceEquality") // This very waiter.
  boolean withdraw(Tenancy tenancy, Waiter waiter) {
    for (Iterator<Tenancy.Waiting> all = tenancy.waiting.iterator(); all.hasNext(); ) {
      if (all.next().waiter == waiter) {
        all.remove();
        left(waiter);
        tenancies.forgetUnused(tenancy);
        return true;
      }
    }
    return false;
  }

  /// Grants a lease to the call of the function that waits longest. There is one.
  void grant(Tenancy tenancy, Lease lease) {
    Waiter next = tenancy.waiting.remove().waiter;
    left(next);
    moves.later(() -> next.granted(lease));
  }

  /// Refuses all calls of a function.
  void refuseAll(Tenancy tenancy, Refusal refusal) {
    for (Tenancy.Waiting waiting : tenancy.waiting) {
      refuse(waiting, refusal);
    }
    tenancy.waiting.clear();
  }

  /// A slot that some calls of the function waited for has failed. They wait for another one, those
  /// that did so already are refused.
  ///
  /// @return how many were refused
  int retry(Tenancy tenancy, Refusal refusal, long now) {
    int affected = Math.min(tenancy.function.concurrency(), tenancy.waiting.size());
    List<Tenancy.Waiting> again = new ArrayList<>();
    for (int i = 0; i < affected; i++) {
      Tenancy.Waiting waiting = tenancy.waiting.remove();
      if (++waiting.failedWarmups >= MAX_WARMUPS_A_CALL) {
        refuse(waiting, refusal);
      } else {
        waiting.deadline = deadline(now);
        again.add(waiting);
      }
    }
    again.reversed().forEach(tenancy.waiting::addFirst);
    return affected - again.size();
  }

  /// Refuses calls whose wait is over and that no warming slot will take; the latter too when that
  /// takes longer than any warm-up may.
  ///
  /// @return nanoseconds until the next call's wait is over, if any waits
  OptionalLong expire(long now) {
    Refusal late = new Refusal.Overloaded("no slot in " + limits.maxQueueWait().toMillis() + "ms");
    long next = Long.MAX_VALUE;
    for (Tenancy tenancy : List.copyOf(tenancies.all())) {
      int position = 0;
      int expected = tenancy.expected();
      for (Iterator<Tenancy.Waiting> all = tenancy.waiting.iterator(); all.hasNext(); position++) {
        Tenancy.Waiting waiting = all.next();
        long left = waiting.deadline - now;
        if (left > 0) {
          next = Math.min(next, left);
        } else if (position >= expected || left <= -LAST_RESORT.toNanos()) {
          all.remove();
          refuse(waiting, late);
        }
      }
      tenancies.forgetUnused(tenancy);
    }
    return next == Long.MAX_VALUE ? OptionalLong.empty() : OptionalLong.of(next);
  }

  /// One demand for each slot more that a function could use, by arrival.
  ///
  /// @param max demands of one function that could be met at all
  List<Placement.Demand> demands(int max, long now) {
    List<Tenancy.Arrival> demands = new ArrayList<>();
    for (Tenancy tenancy : tenancies.all()) {
      tenancy.addDemands(demands, max, now);
    }
    demands.sort(Comparator.comparingLong(Tenancy.Arrival::order));
    return demands.stream().map(Tenancy.Arrival::demand).toList();
  }

  private void refuse(Tenancy.Waiting waiting, Refusal refusal) {
    left(waiting.waiter);
    moves.later(() -> waiting.waiter.refused(refusal));
  }

  private void left(Waiter waiter) {
    calls--;
    bytes -= waiter.weight();
  }

  private long deadline(long now) {
    return now + limits.maxQueueWait().toNanos();
  }
}
