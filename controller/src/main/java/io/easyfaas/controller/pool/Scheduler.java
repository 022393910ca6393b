package io.easyfaas.controller.pool;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.controller.registry.ResolvedFunction;
import org.jspecify.annotations.Nullable;

/// Gives calls permits, and functions slots. Not thread-safe; owned by {@link SlotPool} and guarded
/// by its lock.
///
/// A call gets a permit of a warm slot of its function, or waits in the function's line. A function
/// needs another slot when more calls wait than its slots that are on their way will take, so that
/// twenty first calls with a concurrency of ten start two slots, not twenty. Which function gets
/// what becomes free is {@link Placement}'s choice: accounts take turns, {@link FairOrder}, and
/// within one the function comes first whose call did.
///
/// What concerns one function (a permit is back, a slot is warm or lost) is settled with that
/// function, {@link #serve}; what makes room for any or changes what is needed with all, {@link
/// #settle}.
final class Scheduler {
  private final Slots slots;
  private final PooledFunctions functions;
  private final CallQueue queue;
  private final WaitingRoom room;
  private final StandbyFiller standby;
  private final SlotWork work;
  private final PoolLimits limits;
  private final PoolClock clock;
  private boolean closed;

  Scheduler(
      Slots slots,
      PooledFunctions functions,
      CallQueue queue,
      WaitingRoom room,
      StandbyFiller standby,
      SlotWork work,
      PoolLimits limits,
      PoolClock clock) {
    this.slots = slots;
    this.functions = functions;
    this.queue = queue;
    this.room = room;
    this.standby = standby;
    this.work = work;
    this.limits = limits;
    this.clock = clock;
  }

  /// How much memory there is from now on. Less than is used is allowed: nothing starts until
  /// enough was given back.
  void allocatable(ByteSize memory) {
    slots.allocatable(memory);
    for (PooledFunction function : queue.functions()) {
      Refusal refusal = neverFits(function.function);
      if (refusal != null) {
        queue.refuseAll(function, refusal);
      }
    }
    settle();
  }

  boolean isClosed() {
    return closed;
  }

  /// Refuses every call that waits, and those that come.
  void close() {
    closed = true;
    for (PooledFunction function : queue.functions()) {
      queue.refuseAll(function, new Refusal.Stopping());
    }
  }

  /// Gets a call a permit, now or later.
  Acquisition acquire(ResolvedFunction revision, Waiter waiter) {
    if (closed) {
      return new Acquisition.Refused(new Refusal.Stopping());
    }
    PooledFunction function = functions.of(revision);
    boolean isFirst = queue.isEmpty() || function.line.isEmpty();
    Lease lease = isFirst ? takePermit(function) : null;
    return lease == null ? enqueue(function, waiter) : lease;
  }

  /// Takes a call out of the queue. What was kept for it is others' then.
  ///
  /// @return whether it waited
  boolean withdraw(ResolvedFunction revision, Waiter waiter) {
    PooledFunction function = functions.find(revision);
    if (function == null || !queue.withdraw(function, waiter)) {
      return false;
    }
    settle();
    return true;
  }

  /// Takes a permit back. The next call of the function gets it at once.
  void release(Lease lease) {
    PooledFunction function = lease.function;
    if (function.inFlight == 0) {
      throw new IllegalStateException(
          "release of " + function.function.key() + ": nothing is in flight");
    }
    function.inFlight--;
    Slot slot = lease.slot;
    if (slot.isWarm(lease)) {
      slot.give(clock.nanos());
      function.usedLast = slot;
      if (!queue.isEmpty()) {
        serve(function);
        // A call that has got its permit keeps no room from others any more.
        if (!queue.isEmpty() && (!slot.isBusy() || mayMakeRoom())) {
          place();
        }
      }
      return;
    }
    if (slot.state() instanceof SlotState.Draining draining && draining.lease() == lease) {
      slots.give(slot, draining);
    }
    // Else the slot has been reset since. Another one of the function may have permits that its
    // limit of calls has kept unused, or it may have one more slot now.
    serve(function);
    if (!queue.isEmpty()) {
      place();
    }
    functions.forgetUnused(function);
  }

  /// Gives the function's waiting calls what its own slots have: permits, first come first served;
  /// and has as many of its frozen slots continued as the others can use, the one used last first.
  void serve(PooledFunction function) {
    while (!function.line.isEmpty()) {
      Lease lease = takePermit(function);
      if (lease == null) {
        break;
      }
      queue.grant(function, lease);
    }
    while (function.isShort() && slots.isAny(SlotState.Frozen.class)) {
      Slot frozen = function.frozenLast();
      if (frozen == null) {
        return;
      }
      slots.thaw(frozen);
    }
  }

  /// How whatever may have made room ends: who waits is placed, and when nobody does the standby is
  /// filled.
  void settle() {
    if (!queue.isEmpty()) {
      place();
    }
    if (queue.isEmpty() && limits.maxPrewarmed() > 0 && !closed) {
      standby.fill(clock.nanos());
    }
  }

  /// What a call is told that has waited long enough.
  Refusal late() {
    return noRoom("no slot in " + limits.maxQueueWait().toMillis() + "ms");
  }

  private Refusal noRoom(String limit) {
    return !work.isPossible() || slots.areAllBroken()
        ? new Refusal.NoSandbox()
        : new Refusal.Overloaded(limit);
  }

  private @Nullable Lease takePermit(PooledFunction function) {
    if (!function.mayRunMore()) {
      return null;
    }
    Slot slot = function.reusable();
    if (slot == null) {
      return null;
    }
    function.inFlight++;
    return slot.take(clock.millis());
  }

  private Acquisition enqueue(PooledFunction function, Waiter waiter) {
    Refusal refusal = neverFits(function.function);
    if (refusal != null) {
      queue.refuseAll(function, refusal); // Who waits came when its limits were others.
    } else if (isFull(function.account) && !mayMakeRoom()) {
      refusal = noRoom(room.full()); // Cheap: calls come fast then.
    } else {
      String limit = queue.add(function, waiter, clock.nanos());
      refusal = limit == null ? null : noRoom(limit);
    }
    if (refusal == null) {
      serve(function); // Its limits may be others than when the calls before it came.
      if (function.isShort()) {
        place();
      }
      refusal = makeWay(waiter);
    }
    if (refusal != null) {
      functions.forgetUnused(function);
      return new Acquisition.Refused(refusal);
    }
    return Acquisition.Queued.QUEUED;
  }

  /// Has one call refused when a call that just came is one too many.
  ///
  /// @return the refusal if it is that call itself: whoever asked tells it
  @SuppressWarnings("ReferenceEquality") // This very waiter.
  private @Nullable Refusal makeWay(Waiter justCame) {
    Waiter out = isOverfull() ? queue.makeWay() : null;
    if (out == null) {
      return null;
    }
    Refusal refusal = noRoom(room.full());
    if (out == justCame) {
      return refusal;
    }
    queue.refuse(out, refusal);
    place(); // What it laid claim to is others' now.
    return null;
  }

  // What is on its way is looked for only when it matters: that takes a look at all who wait.

  private boolean isFull(PooledAccount account) {
    return room.isFull(account.id, 0) && room.isFull(account.id, onTheirWay());
  }

  private boolean isOverfull() {
    return room.isOverfull(0) && room.isOverfull(onTheirWay());
  }

  /// Calls that wait and that slots on their way will take: they are as good as served. Which call
  /// a slot that is being made anew will take is not said yet, but it will take one.
  private int onTheirWay() {
    int calls = slots.count(SlotState.Stopping.class) + slots.count(SlotState.Prewarming.class);
    if (slots.isAny(SlotState.WarmingUp.class) || slots.isAny(SlotState.Thawing.class)) {
      for (PooledAccount account : queue.accounts()) {
        for (PooledFunction function : account.inOrder()) {
          calls += Math.min(function.line.size(), function.coming());
        }
      }
    }
    return calls;
  }

  /// Whether calls should go elsewhere, for there is nothing to make a slot of: the places to wait
  /// are taken, and by nobody who would have to make way; or an account that has no more slots than
  /// its share has waited for one for a while. That one account has too many calls is its own
  /// matter, as long as others are served.
  boolean isCongested() {
    if (mayMakeRoom()) {
      return false;
    }
    int parties = functions.accounts().size();
    int served = onTheirWay();
    if (room.calls() > served && room.isFull(served) && room.isShared(parties)) {
      return true;
    }
    long now = clock.nanos();
    return queue.accounts().stream()
        .anyMatch(account ->
            account.slots() <= slots.size() / parties
                && now - account.firstArrived() >= limits.patience().toNanos());
  }

  /// Whether a call more could have a slot made for it now.
  private boolean mayMakeRoom() {
    return slots.isAny(SlotState.Cold.class)
        || slots.isAny(SlotState.Prewarmed.class)
        || slots.isAny(SlotState.Frozen.class)
        || slots.isAnyIdle();
  }

  /// Why no call of the function can ever run; null when one can.
  private @Nullable Refusal neverFits(ResolvedFunction function) {
    if (function.maxInFlight() == 0) {
      return new Refusal.NeverFits("reserved concurrency is 0");
    }
    ByteSize all = slots.allocatable();
    return function.memory().compareTo(all) > 0
        ? new Refusal.NeverFits("function needs " + function.memory() + ", there is " + all)
        : null;
  }

  /// Carries out what Placement chooses for all functions that need slots.
  private void place() {
    long now = clock.nanos();
    LongCalls longCalls = new LongCalls(slots, limits.maxQueueWait());
    Room free = new Room(slots, now, longCalls);
    FairOrder order = new FairOrder(free);
    for (PooledAccount account : queue.accounts()) {
      order.add(new Demands(account.inOrder(), limits.patience(), now));
    }
    for (Placement.Decision decision : Placement.choose(free, order)) {
      switch (decision) {
        case Placement.Decision.Start start -> start(slots.get(start.slot()), start.function());
        case Placement.Decision.CoolDown coolDown ->
            slots.stop(slots.get(coolDown.slot()), Reason.MAKE_ROOM);
        case Placement.Decision.Drain drain -> {
          Slot slot = slots.get(drain.slot());
          if (slot.state() instanceof SlotState.Warm warm) {
            slots.drain(slot, warm, Reason.MAKE_ROOM);
          }
        }
      }
    }
  }

  private void start(Slot slot, ResolvedFunction revision) {
    PooledFunction function = functions.get(revision);
    standby.wanted(revision.runtime(), clock.nanos());
    int place = function.coming();
    String requestId = place < function.line.size() ? function.line.get(place).waiter.label() : "";
    slots.occupy(slot, function, requestId);
  }
}
