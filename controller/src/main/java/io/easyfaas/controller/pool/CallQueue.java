package io.easyfaas.controller.pool;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The calls that wait, over the lines of all functions: how many there may be, for how long, and
/// who makes way when there are too many. Not thread-safe; owned by {@link SlotPool} and guarded by
/// its lock.
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
  private final Set<PooledAccount> waiting = new LinkedHashSet<>();
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

  /// The accounts whose calls wait. Not a copy.
  Collection<PooledAccount> accounts() {
    return Collections.unmodifiableCollection(waiting);
  }

  /// The functions whose calls wait. A copy.
  List<PooledFunction> functions() {
    List<PooledFunction> all = new ArrayList<>();
    for (PooledAccount account : waiting) {
      all.addAll(account.inOrder());
    }
    return all;
  }

  /// A call waits from now on, behind its function's others, however many there are.
  ///
  /// @return the limit that keeps it from waiting, for people; null when it waits
  @Nullable String add(PooledFunction function, Waiter waiter, long now) {
    String limit = room.enterUncounted(function.account.id, waiter.weight());
    if (limit != null) {
      return limit;
    }
    boolean isFirst = function.line.isEmpty();
    function.line.addLast(new Waiting(waiter, arrivals++, now, deadline(now)));
    calls++;
    if (isFirst) {
      function.account.waits(function);
      waiting.add(function.account);
    }
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
              left(function, call);
              return true;
            }));
    return calls < before;
  }

  /// Grants a lease to the call of the function that waits longest. There is one.
  void grant(PooledFunction function, Lease lease) {
    Waiting[] first = new Waiting[1];
    change(function, () -> first[0] = function.line.removeFirst());
    left(function, first[0]);
    effects.add(new Effect.Grant(first[0].waiter, lease));
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
              refuse(function, call, refusal);
              return true;
            }));
    return refused;
  }

  /// Too many wait: the newest call that no slot on its way will take makes way, of the account
  /// whose calls take most of the room.
  ///
  /// @return whose it is; null when there is none
  @Nullable Waiter makeWay() {
    PooledAccount most = null;
    double share = 0;
    for (PooledAccount account : waiting) {
      double its = room.share(account.id);
      if (its > share && account.newest() != null) {
        most = account;
        share = its;
      }
    }
    PooledFunction function = most == null ? null : most.newest();
    if (function == null) {
      return null;
    }
    Waiting[] last = new Waiting[1];
    change(function, () -> last[0] = function.line.removeLast());
    left(function, last[0]);
    return last[0].waiter;
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
              refuse(function, call, refusal);
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
  /// @param late what they are told
  /// @return nanoseconds until the next call's wait is over, if any waits
  OptionalLong expire(Refusal late, long now) {
    long next = Long.MAX_VALUE;
    for (PooledFunction function : functions()) {
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
              refuse(function, call, late);
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
    PooledAccount account = function.account;
    if (function.line.isEmpty()) {
      account.waitsNoMore(before);
      if (!account.isWaiting()) {
        waiting.remove(account);
      }
      functions.forgetUnused(function);
    } else if (function.line.first().order != before) {
      account.waitsNoMore(before);
      account.waits(function);
    }
  }

  /// Tells a call that is not in the queue any more that it will not run.
  void refuse(Waiter waiter, Refusal refusal) {
    effects.add(new Effect.Refuse(waiter, refusal));
  }

  private void refuse(PooledFunction function, Waiting call, Refusal refusal) {
    left(function, call);
    refuse(call.waiter, refusal);
  }

  private void left(PooledFunction function, Waiting call) {
    calls--;
    room.leave(function.account.id, call.waiter.weight());
  }

  private long deadline(long now) {
    return now + limits.maxQueueWait().toNanos();
  }
}
