package io.easyfaas.controller.pool;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// The calls that wait, over the lines of all functions: how many there may be, for how long, and
/// in which order the functions come. Not thread-safe; owned by {@link SlotPool} and guarded by its
/// lock.
///
/// What happens to one call costs the same however many wait, but for a call that leaves from the
/// middle: that costs a look at its function's line.
final class CallQueue {
  private static final int MAX_WARMUPS_A_CALL = 2;
  // Longer than a warm-up and the reset after it may take, see docs/state-machine.md.
  private static final Duration LAST_RESORT = Duration.ofMinutes(2);

  private final PoolLimits limits;
  private final WaitingRoom room;
  private final PooledFunctions functions;
  private final Effects effects;
  // Every function with a line, by its first call.
  private final TreeMap<Long, PooledFunction> byFirstCall = new TreeMap<>();
  private long arrivals;
  private int calls;

  /// @param room where the calls are counted that wait anywhere
  /// @param effects tell calls what became of them
  CallQueue(PoolLimits limits, WaitingRoom room, PooledFunctions functions, Effects effects) {
    this.limits = limits;
    this.room = room;
    this.functions = functions;
    this.effects = effects;
  }

  boolean isEmpty() {
    return calls == 0;
  }

  int size() {
    return calls;
  }

  /// Whether no more calls may wait, or the one that waits longest has done so for a while.
  ///
  /// @param served calls that slots which are on their way will take
  boolean isCongested(int served, Duration patience, long now) {
    return (room.calls() > served && room.isFull(served))
        || (calls > 0
            && now - byFirstCall.firstEntry().getValue().line.first().arrived
                >= patience.toNanos());
  }

  /// The functions whose calls wait, the one whose first call came first at the front. Not a copy.
  Collection<PooledFunction> inOrder() {
    return Collections.unmodifiableCollection(byFirstCall.values());
  }

  /// A call waits from now on, behind its function's others, however many there are.
  ///
  /// @return why it may not wait; null when it does
  @Nullable Refusal add(PooledFunction function, Waiter waiter, long now) {
    String limit = room.enterUncounted(waiter.weight());
    if (limit != null) {
      return new Refusal.Overloaded(limit);
    }
    Waiting call = new Waiting(waiter, arrivals++, now, deadline(now));
    if (function.line.isEmpty()) {
      byFirstCall.put(call.order, function);
    }
    function.line.addLast(call);
    calls++;
    return null;
  }

  /// Takes a call out whose client is gone.
  ///
  /// @return whether it waited
  @SuppressWarnings("ReferenceEquality") // This very waiter.
  boolean withdraw(PooledFunction function, Waiter waiter) {
    int before = calls;
    change(
        function,
        () ->
            function.line.removeIf(call -> {
              if (call.waiter != waiter) {
                return false;
              }
              left(call);
              return true;
            }));
    return calls < before;
  }

  /// Grants a lease to the call of the function that waits longest. There is one.
  void grant(PooledFunction function, Lease lease) {
    Waiting first = function.line.removeFirst();
    byFirstCall.remove(first.order);
    if (!function.line.isEmpty()) {
      byFirstCall.put(function.line.first().order, function);
    }
    left(first);
    effects.add(new Effect.Grant(first.waiter, lease));
  }

  /// Refuses all calls of a function.
  ///
  /// @return how many
  int refuseAll(PooledFunction function, Refusal refusal) {
    int refused = function.line.size();
    change(
        function,
        () ->
            function.line.removeIf(call -> {
              refuse(call, refusal);
              return true;
            }));
    return refused;
  }

  /// A slot that some calls of the function waited for has failed. They wait for another one, those
  /// that did so already are refused.
  ///
  /// @param affected calls that the slot would have taken
  /// @return how many were refused
  int retry(PooledFunction function, int affected, Refusal refusal, long now) {
    int before = calls;
    change(
        function,
        () -> {
          List<Waiting> again = new ArrayList<>();
          for (int left = Math.min(affected, function.line.size()); left > 0; left--) {
            Waiting call = function.line.removeFirst();
            if (++call.failedWarmups >= MAX_WARMUPS_A_CALL) {
              refuse(call, refusal);
            } else {
              call.deadline = deadline(now);
              again.add(call);
            }
          }
          again.reversed().forEach(function.line::addFirst);
        });
    return before - calls;
  }

  /// Refuses calls whose wait is over and that no slot on its way will take; the others too when
  /// that takes longer than any warm-up may.
  ///
  /// @return nanoseconds until the next call's wait is over, if any waits
  OptionalLong expire(long now) {
    Refusal late = new Refusal.Overloaded("no slot in " + limits.maxQueueWait().toMillis() + "ms");
    long next = Long.MAX_VALUE;
    for (PooledFunction function : List.copyOf(byFirstCall.values())) {
      next = Math.min(next, expire(function, late, now));
    }
    return next == Long.MAX_VALUE ? OptionalLong.empty() : OptionalLong.of(next);
  }

  private long expire(PooledFunction function, Refusal late, long now) {
    long[] next = {Long.MAX_VALUE};
    int[] place = {0};
    change(
        function,
        () ->
            function.line.removeIf(call -> {
              long left = call.deadline - now;
              boolean isCovered = place[0]++ < function.coming();
              if (left > 0) {
                next[0] = Math.min(next[0], left);
                return false;
              }
              if (isCovered && left > -LAST_RESORT.toNanos()) {
                return false;
              }
              refuse(call, late);
              return true;
            }));
    return next[0];
  }

  /// Changes a function's line, and finds its new place among the others.
  private void change(PooledFunction function, Runnable change) {
    if (function.line.isEmpty()) {
      return;
    }
    long before = function.line.first().order;
    change.run();
    if (function.line.isEmpty()) {
      byFirstCall.remove(before);
      functions.forgetUnused(function);
    } else if (function.line.first().order != before) {
      byFirstCall.remove(before);
      byFirstCall.put(function.line.first().order, function);
    }
  }

  private void refuse(Waiting call, Refusal refusal) {
    left(call);
    effects.add(new Effect.Refuse(call.waiter, refusal));
  }

  private void left(Waiting call) {
    calls--;
    room.leave(call.waiter.weight());
  }

  private long deadline(long now) {
    return now + limits.maxQueueWait().toNanos();
  }
}
