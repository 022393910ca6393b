package io.easyfaas.controller.pool;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.controller.registry.ResolvedFunction;
import io.easyfaas.controller.runtime.Runner;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/// Every slot of this Pod, and every call that waits for one. Thread-safe.
///
/// **What it promises.** A warm slot never runs more calls than its function's concurrency. The
/// memory of all slots never exceeds what is allocatable. A call that waits is granted or refused,
/// once, and in bounded time. Calls of one function are served in order of arrival.
///
/// **Who does what.** {@link Scheduler} gives calls permits and functions slots, {@link SlotLife}
/// says what becomes of slots, {@link Slots} moves them, {@link CallQueue} keeps who waits, {@link
/// Standby} how many runners are ready. None of them locks, tells or does anything.
///
/// **Locking.** One lock, held for a few map and list operations; the invoke path takes it twice a
/// call. What must be told or done is collected under the lock as {@link Effect}s, and happens
/// after it is released: no waiter, no log line and no I/O ever runs under it.
public final class SlotPool {
  private final SlotWork work;
  private final WaitingRoom waitingRoom;
  private final PoolClock clock;
  private final Object lock = new Object();

  @GuardedBy("lock")
  private final Effects effects = new Effects();

  @GuardedBy("lock")
  private final PooledFunctions functions;

  @GuardedBy("lock")
  private final Slots slots;

  @GuardedBy("lock")
  private final CallQueue queue;

  @GuardedBy("lock")
  private final StandbyFiller standby;

  @GuardedBy("lock")
  private final Scheduler scheduler;

  @GuardedBy("lock")
  private final Fitness fitness;

  @GuardedBy("lock")
  private final SlotLife life;

  /// Creates a pool whose slots are all about to be reset or cold.
  ///
  /// @param cold for each container whether it is cold; the others are reset first
  /// @param node what there is for them
  public SlotPool(
      Map<ContainerId, Boolean> cold,
      PoolNode node,
      PoolLimits limits,
      SlotWork work,
      PoolClock clock) {
    this.work = work;
    this.clock = clock;
    this.functions = new PooledFunctions(clock);
    this.slots =
        new Slots(states(cold, clock.nanos()), node.allocatable(), functions, effects, clock);
    this.waitingRoom = new WaitingRoom(limits.maxQueue(), limits.maxQueueBytes());
    this.queue = new CallQueue(limits, waitingRoom, functions, effects);
    this.standby = new StandbyFiller(slots, new Standby(limits.maxPrewarmed()), node.baseMemory());
    this.scheduler =
        new Scheduler(slots, functions, queue, waitingRoom, standby, work, limits, clock);
    this.fitness = new Fitness(node.probe());
    this.life = new SlotLife(slots, queue, standby, scheduler, fitness, limits);
  }

  /// Gets a call a slot, now or later.
  ///
  /// @return a lease to be released, or whether the call waits or is refused
  public Acquisition acquire(ResolvedFunction function, Waiter waiter) {
    Acquisition result;
    List<Effect> toDo;
    synchronized (lock) {
      result = scheduler.acquire(function, waiter);
      toDo = effects.take();
    }
    Effects.run(toDo, work, this);
    return result;
  }

  /// Where calls are counted that wait, here or before they come here.
  public WaitingRoom waitingRoom() {
    return waitingRoom;
  }

  /// Gives a lease back. The next call of the function gets it at once.
  public void release(Lease lease) {
    List<Effect> toDo;
    synchronized (lock) {
      scheduler.release(lease);
      toDo = effects.take();
    }
    Effects.run(toDo, work, this);
  }

  /// Takes a call out of the queue.
  ///
  /// @return whether it waited; if not, it was granted or refused before
  public boolean withdraw(ResolvedFunction function, Waiter waiter) {
    boolean waited;
    List<Effect> toDo;
    synchronized (lock) {
      waited = scheduler.withdraw(function, waiter);
      toDo = effects.take();
    }
    Effects.run(toDo, work, this);
    return waited;
  }

  /// Resets a slot because someone asked for it: at once when it is idle, else when its calls have
  /// ended.
  ///
  /// @return false when there is no such container
  public boolean invalidate(ContainerId id) {
    Optional<Slot> slot;
    List<Effect> toDo;
    synchronized (lock) {
      slot = slots.find(id);
      slot.ifPresent(life::invalidate);
      toDo = effects.take();
    }
    Effects.run(toDo, work, this);
    return slot.isPresent();
  }

  /// Freezes idle slots or cools them down, repairs broken ones, refuses calls that waited too
  /// long, takes slots from functions that held all of them for too long, and looks after the
  /// standby.
  ///
  /// @return nanoseconds until the next call's wait is over, if any waits
  public OptionalLong sweep() {
    List<Effect> toDo;
    OptionalLong next;
    synchronized (lock) {
      life.age();
      next = queue.expire(scheduler.late(), clock.nanos());
      standby.trim(clock.nanos());
      scheduler.settle();
      toDo = effects.take();
    }
    Effects.run(toDo, work, this);
    return next;
  }

  /// Refuses every call that waits, and those that come. Safe to call twice.
  public void close() {
    List<Effect> toDo;
    synchronized (lock) {
      scheduler.close();
      toDo = effects.take();
    }
    Effects.run(toDo, work, this);
  }

  /// Every slot, by index.
  public List<SlotView> slots() {
    synchronized (lock) {
      return slots.all().stream().map(SlotView::of).toList();
    }
  }

  /// What is used now.
  public PoolUsage usage() {
    synchronized (lock) {
      return PoolUsage.of(slots, queue.size());
    }
  }

  /// How often slots have moved since the start, by kind of move.
  public Map<SlotMove, Long> moves() {
    synchronized (lock) {
      return slots.moves();
    }
  }

  /// Calls that runners are working on.
  public int inFlight() {
    synchronized (lock) {
      return functions.all().stream().mapToInt(function -> function.inFlight).sum();
    }
  }

  /// Why calls should go elsewhere; empty when they may come.
  public Set<Unready> unready() {
    Set<Unready> why = EnumSet.noneOf(Unready.class);
    synchronized (lock) {
      if (scheduler.isClosed()) {
        why.add(Unready.DRAINING);
      }
      if (scheduler.isCongested()) {
        why.add(Unready.FULL);
      }
      if (fitness.isUntried()) {
        why.add(Unready.STARTING);
      }
      if (fitness.isUnfit() || slots.areAllBroken()) {
        why.add(Unready.NO_SANDBOX);
      }
    }
    return why;
  }

  /// Changes how much memory there is. Less than is used is allowed: nothing starts until enough
  /// was given back.
  public void allocatable(ByteSize memory) {
    List<Effect> toDo;
    synchronized (lock) {
      scheduler.allocatable(memory);
      toDo = effects.take();
    }
    Effects.run(toDo, work, this);
  }

  /// Work on a slot has ended.
  ///
  /// @throws IllegalStateException when the event has no meaning in the slot's state; nothing
  ///   changes
  public void tell(int index, SlotEvent event) {
    Effects.run(told(index, event), work, this);
  }

  /// {@link #tell}, but for its effects.
  List<Effect> told(int index, SlotEvent event) {
    synchronized (lock) {
      life.on(slots.get(index), event);
      return effects.take();
    }
  }

  /// A warming slot's runner has loaded its function.
  ///
  /// @return the lease that stands for this warm-up
  /// @throws IllegalStateException as {@link #tell}
  public Lease connected(int index, Runner runner, WarmupTimes times) {
    Lease lease;
    List<Effect> toDo;
    synchronized (lock) {
      lease = life.connected(slots.get(index), runner, times);
      toDo = effects.take();
    }
    Effects.run(toDo, work, this);
    return lease;
  }

  /// A runner is gone. The slot is stopping from now on; the caller resets it.
  ///
  /// @return false when the lease's slot was given up before
  public boolean lost(Lease lease, Reason reason) {
    boolean isLost;
    List<Effect> toDo;
    synchronized (lock) {
      isLost = life.lost(lease, reason);
      toDo = effects.take();
    }
    Effects.run(toDo, work, this);
    return isLost;
  }

  /// A runner must take no more calls, and be reset when it has none left.
  public void drain(Lease lease, Reason reason) {
    List<Effect> toDo;
    synchronized (lock) {
      life.drain(lease, reason);
      toDo = effects.take();
    }
    Effects.run(toDo, work, this);
  }

  /// Whether a slot is to be paused, or stay so.
  public boolean isFrozen(int index) {
    synchronized (lock) {
      return slots.get(index).isFrozen();
    }
  }

  private static Map<ContainerId, SlotState> states(Map<ContainerId, Boolean> cold, long now) {
    Map<ContainerId, SlotState> states = new LinkedHashMap<>();
    cold.forEach((id, isCold) ->
        states.put(
            id,
            isCold
                ? new SlotState.Cold()
                : new SlotState.Closed(ByteSize.ZERO, Reason.CONTROLLER_RESTARTED, 0, now)));
    return states;
  }
}
