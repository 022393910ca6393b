package io.easyfaas.controller.pool;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.controller.registry.FunctionKey;
import io.easyfaas.controller.registry.ResolvedFunction;
import io.easyfaas.controller.runtime.Runner;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Every slot of this Pod, and every call that waits for one. Thread-safe.
///
/// **What it promises.** A warm slot never runs more calls than its function's concurrency. The
/// memory of all slots never exceeds what is allocatable. A call that waits is granted or refused,
/// once. Calls of one function are served in order of arrival.
///
/// **Waiting.** Calls wait in their function's queue. A function needs another slot when more calls
/// wait than its slots that are warming up will take, so that twenty first calls with a concurrency
/// of ten start two slots, not twenty. Which function gets what becomes free is {@link Placement}'s
/// choice, by arrival of the first call that needs it.
///
/// **Reserve.** When nobody waits and nothing warms up, cold slots get runners without a function,
/// one at a time, as {@link Reserve} says. They count as room: whoever needs it may have it.
///
/// **Freezing.** A slot that was idle for a while is paused, and continued for the next call of its
/// function, which waits for that.
///
/// **Locking.** One lock, held for a few map and list operations; the invoke path takes it twice a
/// call. Whatever must be told or done is collected under the lock and done after it is released:
/// no waiter, no log line and no I/O ever runs under it.
public final class SlotPool {
  private static final Logger LOG = LoggerFactory.getLogger(SlotPool.class);
  private static final int MAX_WARMUPS_A_CALL = 2;
  private static final Duration FIRST_RETRY = Duration.ofSeconds(1);
  private static final int MAX_RETRY_DOUBLINGS = 6; // 64 s

  /// What all slots together have.
  ///
  /// @param allocatable memory that may be used
  /// @param marked memory of slots that hold a function or are being reset
  /// @param used memory of slots whose runner is connected
  /// @param waiting calls that wait for a slot
  public record Usage(ByteSize allocatable, ByteSize marked, ByteSize used, int waiting) {}

  private final SlotWork work;
  private final PoolLimits limits;
  private final ByteSize baseMemory;
  private final LongSupplier nanoTime;
  private final InstantSource clock;
  private final Object lock = new Object();

  @GuardedBy("lock")
  private final List<Slot> slots = new ArrayList<>();

  @GuardedBy("lock")
  private final Map<FunctionKey, Tenancy> tenancies = new HashMap<>();

  @GuardedBy("lock")
  private final Reserve reserve;

  @GuardedBy("lock")
  private ByteSize allocatable;

  @GuardedBy("lock")
  private long arrivals;

  @GuardedBy("lock")
  private int waitingCalls;

  @GuardedBy("lock")
  private long waitingBytes;

  @GuardedBy("lock")
  private ArrayList<Runnable> actions = new ArrayList<>();

  @GuardedBy("lock")
  private boolean closed;

  /// Creates a pool whose slots are all about to be reset or cold.
  ///
  /// @param cold for each container whether it is cold; the others are reset first
  /// @param baseMemory what a slot without a function may use
  SlotPool(
      Map<ContainerId, Boolean> cold,
      ByteSize allocatable,
      ByteSize baseMemory,
      PoolLimits limits,
      SlotWork work,
      LongSupplier nanoTime,
      InstantSource clock) {
    this.allocatable = allocatable;
    this.baseMemory = baseMemory;
    this.limits = limits;
    this.reserve = new Reserve(limits.maxPrewarmed());
    this.work = work;
    this.nanoTime = nanoTime;
    this.clock = clock;
    cold.forEach((id, isCold) -> {
      SlotState state =
          isCold
              ? new SlotState.Cold()
              : new SlotState.Closed(ByteSize.ZERO, ResetReason.LEFT_OVER, 0, nanoTime.getAsLong());
      slots.add(new Slot(slots.size(), id, state));
    });
  }

  /// Gets a call a slot, now or later.
  ///
  /// @return a lease to be released, or whether the call waits or is refused
  public Acquisition acquire(ResolvedFunction function, Waiter waiter) {
    Acquisition result;
    List<Runnable> toDo;
    synchronized (lock) {
      Tenancy tenancy = tenancy(function);
      Lease lease = tenancy.waiting.isEmpty() ? takePermit(tenancy) : null;
      result = lease == null ? enqueue(tenancy, waiter) : lease;
      toDo = takeActions();
    }
    run(toDo);
    return result;
  }

  /// Gives a lease back. The next call of the function gets it at once.
  public void release(Lease lease, ResolvedFunction function) {
    List<Runnable> toDo;
    synchronized (lock) {
      Tenancy tenancy = tenancies.get(function.key());
      if (tenancy == null) {
        throw new IllegalStateException("release of " + function.key() + ": nothing is in flight");
      }
      tenancy.inFlight--;
      Slot slot = slots.get(lease.slot());
      switch (slot.state()) {
        case SlotState.Warm warm when warm.lease() == lease -> {
          slot.state(warm.give(nanoTime.getAsLong()));
          serve(tenancy);
          if (waitingCalls > 0 && slot.state() instanceof SlotState.Warm now && now.isIdle()) {
            place();
          }
        }
        case SlotState.Draining draining when draining.lease() == lease -> {
          SlotState.Draining left = draining.give();
          slot.state(left);
          if (left.inFlight() == 0) {
            stop(slot, left.stop());
          }
          // Another slot of the function may have room that its limit of calls has kept unused.
          serve(tenancy);
          if (waitingCalls > 0) {
            place();
          }
        }
        // The slot has been reset since; the permit went with it.
        default -> serve(tenancy);
      }
      forgetUnused(tenancy);
      toDo = takeActions();
    }
    run(toDo);
  }

  /// Takes a call out of the queue.
  ///
  /// @return whether it waited; if not, it was granted or refused before
  @SuppressWarnings("ReferenceEquality") // This very waiter.
  public boolean withdraw(ResolvedFunction function, Waiter waiter) {
    synchronized (lock) {
      Tenancy tenancy = tenancies.get(function.key());
      if (tenancy == null) {
        return false;
      }
      for (Iterator<Tenancy.Waiting> all = tenancy.waiting.iterator(); all.hasNext(); ) {
        if (all.next().waiter == waiter) {
          all.remove();
          left(waiter);
          forgetUnused(tenancy);
          return true;
        }
      }
      return false;
    }
  }

  /// Resets a slot because someone asked for it: at once when it is idle, else when its calls have
  /// ended.
  ///
  /// @return false when there is no such container
  public boolean invalidate(ContainerId id) {
    List<Runnable> toDo;
    synchronized (lock) {
      Optional<Slot> found = slots.stream().filter(slot -> slot.id.equals(id)).findFirst();
      if (found.isEmpty()) {
        return false;
      }
      Slot slot = found.get();
      switch (slot.state()) {
        case SlotState.Cold cold -> stop(slot, cold.stop(ResetReason.INVALIDATED));
        case SlotState.Warm warm -> drain(slot, warm, ResetReason.INVALIDATED);
        case SlotState.Prewarmed waiting -> stop(slot, waiting.stop(ResetReason.INVALIDATED));
        case SlotState.Frozen frozen -> stop(slot, frozen, ResetReason.INVALIDATED);
        // The keeper resets it when it cannot connect; once warm it may be invalidated again.
        case SlotState.Prewarming _, SlotState.WarmingUp _, SlotState.Thawing _ -> {}
        case SlotState.Draining _, SlotState.Stopping _ -> {}
        case SlotState.Closed closedSlot -> stop(slot, closedSlot.repair());
      }
      toDo = takeActions();
    }
    run(toDo);
    return true;
  }

  /// Freezes idle slots or cools them down, repairs broken ones, refuses calls that waited too
  /// long, takes slots from functions that held all of them for too long, and looks after the
  /// reserve.
  ///
  /// @return nanoseconds until the next call's wait is over, if any waits
  public OptionalLong sweep() {
    List<Runnable> toDo;
    OptionalLong next;
    synchronized (lock) {
      long now = nanoTime.getAsLong();
      for (Slot slot : slots) {
        switch (slot.state()) {
          case SlotState.Warm warm when warm.isIdle() -> age(slot, warm, now);
          case SlotState.Frozen frozen when now - frozen.lastUsed() >= limits.maxIdle().toNanos() ->
              stop(slot, frozen, ResetReason.IDLE);
          case SlotState.Closed broken when now - broken.retryAt() >= 0 ->
              stop(slot, broken.repair());
          default -> {}
        }
      }
      next = expire(now);
      trimReserve(now);
      toDo = settle();
    }
    run(toDo);
    return next;
  }

  /// Every slot, by index.
  public List<SlotView> slots() {
    synchronized (lock) {
      return slots.stream()
          .map(slot ->
              new SlotView(
                  slot.id,
                  slot.state(),
                  Instant.ofEpochMilli(slot.lastAccessMillis),
                  Instant.ofEpochMilli(slot.lastResetMillis),
                  slot.times,
                  slot.accepted,
                  slot.rejected,
                  slot.abnormalTimes))
          .toList();
    }
  }

  /// What is used now.
  public Usage usage() {
    synchronized (lock) {
      long marked = 0;
      long used = 0;
      for (Slot slot : slots) {
        marked += slot.state().marked().bytes();
        if (slot.state() instanceof SlotState.Serving serving) {
          used += serving.memory().bytes();
        }
      }
      return new Usage(allocatable, new ByteSize(marked), new ByteSize(used), waitingCalls);
    }
  }

  /// Changes how much memory there is. Less than is used is allowed: nothing starts until enough
  /// was given back.
  void allocatable(ByteSize memory) {
    synchronized (lock) {
      allocatable = memory;
    }
  }

  /// Calls that runners are working on.
  public int inFlight() {
    synchronized (lock) {
      return tenancies.values().stream().mapToInt(tenancy -> tenancy.inFlight).sum();
    }
  }

  /// Refuses every call that waits, and those that come. Safe to call twice.
  public void close() {
    List<Runnable> toDo;
    synchronized (lock) {
      closed = true;
      for (Tenancy tenancy : tenancies.values()) {
        for (Tenancy.Waiting waiting : tenancy.waiting) {
          refuse(waiting, new Refusal.Overloaded("the engine is stopping"));
        }
        tenancy.waiting.clear();
      }
      toDo = takeActions();
    }
    run(toDo);
  }

  /// A runner without a function is connected.
  void prewarmed(int index, Runner runner) {
    List<Runnable> toDo;
    synchronized (lock) {
      Slot slot = slots.get(index);
      if (!(slot.state() instanceof SlotState.Prewarming prewarming)) {
        throw refused(slot, "prewarmed");
      }
      move(slot, prewarming.waits(runner), "reserve");
      toDo = settle();
    }
    run(toDo);
  }

  /// A runner without a function did not start.
  void prewarmFailed(int index) {
    List<Runnable> toDo;
    synchronized (lock) {
      Slot slot = slots.get(index);
      if (!(slot.state() instanceof SlotState.Prewarming prewarming)) {
        throw refused(slot, "prewarmFailed");
      }
      reserve.failed(prewarming.runtime(), nanoTime.getAsLong());
      slot.abnormalTimes++;
      stop(slot, prewarming.stop(ResetReason.PREWARM_FAILED));
      toDo = takeActions();
    }
    run(toDo);
  }

  /// A runner without a function is gone. Nothing happens when it has got one since.
  @SuppressWarnings("ReferenceEquality") // This very runner.
  void prewarmedLost(int index, Runner runner) {
    List<Runnable> toDo;
    synchronized (lock) {
      Slot slot = slots.get(index);
      if (slot.state() instanceof SlotState.Prewarmed waiting && waiting.runner() == runner) {
        reserve.failed(waiting.runtime(), nanoTime.getAsLong());
        slot.abnormalTimes++;
        stop(slot, waiting.stop(ResetReason.RUNNER_EXITED));
      }
      toDo = takeActions();
    }
    run(toDo);
  }

  /// Whether a slot is to be paused, or stay so.
  boolean isFrozen(int index) {
    synchronized (lock) {
      return slots.get(index).state() instanceof SlotState.Frozen;
    }
  }

  /// A slot's pause has ended. Nothing happens when its runner was lost meanwhile.
  void thawed(int index) {
    List<Runnable> toDo;
    synchronized (lock) {
      Slot slot = slots.get(index);
      if (slot.state() instanceof SlotState.Thawing thawing) {
        move(slot, thawing.thawed(nanoTime.getAsLong()), "thawed");
        Tenancy tenancy = tenancy(thawing.function());
        tenancy.expected -= thawing.function().concurrency();
        serve(tenancy);
      }
      toDo = settle();
    }
    run(toDo);
  }

  /// A slot's pause could not be ended. Nothing happens when its runner was lost meanwhile.
  void thawFailed(int index) {
    List<Runnable> toDo;
    synchronized (lock) {
      Slot slot = slots.get(index);
      if (slot.state() instanceof SlotState.Thawing thawing) {
        slot.abnormalTimes++;
        giveUp(slot, thawing);
        stop(slot, thawing.stop(ResetReason.THAW_FAILED));
      }
      toDo = settle();
    }
    run(toDo);
  }

  /// A warming slot's runner has loaded its function.
  ///
  /// @return the lease that stands for this warm-up
  Lease connected(int index, Runner runner, WarmupTimes times) {
    List<Runnable> toDo;
    Lease lease = new Lease(index, runner);
    synchronized (lock) {
      Slot slot = slots.get(index);
      if (!(slot.state() instanceof SlotState.WarmingUp warming)) {
        throw refused(slot, "connected");
      }
      slot.times = times;
      move(slot, warming.connected(lease, nanoTime.getAsLong()), "connected");
      Tenancy tenancy = tenancy(warming.function());
      tenancy.expected -= warming.function().concurrency();
      serve(tenancy);
      toDo = settle();
    }
    run(toDo);
    return lease;
  }

  /// A function could not be put into its slot. The calls this slot was for try another one, those
  /// that did so already are refused.
  void warmupFailed(int index, String detail) {
    List<Runnable> toDo;
    synchronized (lock) {
      Slot slot = slots.get(index);
      Tenancy tenancy = giveUpWarmup(slot, ResetReason.WARMUP_FAILED);
      actions.add(() -> work.reset(index, ResetReason.WARMUP_FAILED));
      int affected = Math.min(tenancy.function.concurrency(), tenancy.waiting.size());
      List<Tenancy.Waiting> again = new ArrayList<>();
      for (int i = 0; i < affected; i++) {
        Tenancy.Waiting waiting = tenancy.waiting.remove();
        if (++waiting.failedWarmups >= MAX_WARMUPS_A_CALL) {
          slot.rejected++;
          refuse(waiting, new Refusal.WarmupFailed(detail));
        } else {
          waiting.deadline = nanoTime.getAsLong() + limits.maxQueueWait().toNanos();
          again.add(waiting);
        }
      }
      again.reversed().forEach(tenancy.waiting::addFirst);
      forgetUnused(tenancy);
      toDo = settle();
    }
    run(toDo);
  }

  /// A function cannot be loaded: every call that waits for it is told so, and the slot is reset.
  void loadFailed(int index, byte[] error) {
    List<Runnable> toDo;
    synchronized (lock) {
      Slot slot = slots.get(index);
      refuseLoad(slot, error);
      actions.add(() -> work.reset(index, ResetReason.LOAD_FAILED));
      toDo = settle();
    }
    run(toDo);
  }

  /// The same, when the slot has been reset already to find out why.
  void loadEnded(int index, byte[] error) {
    List<Runnable> toDo;
    synchronized (lock) {
      refuseLoad(slots.get(index), error);
      toDo = settle();
    }
    run(toDo);
    resetDone(index);
  }

  /// A runner is gone. The slot is stopping from now on; the caller resets it.
  ///
  /// @return false when the lease's slot was given up before
  boolean lost(Lease lease, String reason) {
    List<Runnable> toDo;
    synchronized (lock) {
      Slot slot = slots.get(lease.slot());
      switch (slot.state()) {
        case SlotState.Warm warm when warm.lease() == lease -> {
          leave(slot, warm.function());
          move(slot, warm.stop(reason), reason);
        }
        case SlotState.Frozen frozen when frozen.lease() == lease -> {
          leave(slot, frozen.function());
          move(slot, frozen.stop(reason), reason);
        }
        case SlotState.Thawing thawing when thawing.lease() == lease -> {
          giveUp(slot, thawing);
          move(slot, thawing.stop(reason), reason);
        }
        case SlotState.Draining draining when draining.lease() == lease ->
            move(slot, draining.stop(), reason);
        default -> {
          return false;
        }
      }
      slot.abnormalTimes++;
      toDo = settle();
    }
    run(toDo);
    return true;
  }

  /// A runner must take no more calls, and be reset when it has none left.
  void drain(Lease lease, String reason) {
    List<Runnable> toDo;
    synchronized (lock) {
      Slot slot = slots.get(lease.slot());
      if (slot.state() instanceof SlotState.Warm warm && warm.lease() == lease) {
        drain(slot, warm, reason);
      }
      toDo = settle();
    }
    run(toDo);
  }

  /// A slot's sandbox is new.
  void resetDone(int index) {
    List<Runnable> toDo;
    synchronized (lock) {
      Slot slot = slots.get(index);
      if (!(slot.state() instanceof SlotState.Stopping stopping)) {
        throw refused(slot, "resetDone");
      }
      slot.lastResetMillis = clock.millis();
      move(slot, stopping.reset(), stopping.reason());
      toDo = settle();
    }
    run(toDo);
  }

  /// A slot's sandbox could not be made anew; it is tried again later.
  void resetFailed(int index) {
    List<Runnable> toDo;
    synchronized (lock) {
      Slot slot = slots.get(index);
      if (!(slot.state() instanceof SlotState.Stopping stopping)) {
        throw refused(slot, "resetFailed");
      }
      int doublings = Math.min(stopping.failures(), MAX_RETRY_DOUBLINGS);
      slot.abnormalTimes++;
      move(
          slot,
          stopping.failed(nanoTime.getAsLong() + (FIRST_RETRY.toNanos() << doublings)),
          "reset-failed");
      toDo = takeActions();
    }
    run(toDo);
  }

  @GuardedBy("lock")
  private Tenancy tenancy(ResolvedFunction function) {
    Tenancy tenancy = tenancies.get(function.key());
    if (tenancy == null) {
      tenancy = new Tenancy(function, nanoTime.getAsLong());
      tenancies.put(function.key(), tenancy);
    } else {
      tenancy.function = function; // Its limits may have changed without a new revision.
    }
    return tenancy;
  }

  @GuardedBy("lock")
  private void forgetUnused(Tenancy tenancy) {
    if (tenancy.isUnused()) {
      tenancies.remove(tenancy.function.key(), tenancy);
    }
  }

  @GuardedBy("lock")
  private @Nullable Lease takePermit(Tenancy tenancy) {
    if (!tenancy.mayRunMore()) {
      return null;
    }
    int at = Placement.reuse(tenancy.slots);
    if (at < 0) {
      return null;
    }
    Slot slot = tenancy.slots.get(at);
    if (!(slot.state() instanceof SlotState.Warm warm)) {
      throw refused(slot, "take");
    }
    slot.state(warm.take());
    slot.accepted++;
    slot.lastAccessMillis = clock.millis();
    tenancy.inFlight++;
    return warm.lease();
  }

  @GuardedBy("lock")
  private Acquisition enqueue(Tenancy tenancy, Waiter waiter) {
    String limit = null;
    if (closed) {
      limit = "the engine is stopping";
    } else if (tenancy.function.maxInFlight() == 0) {
      limit = "reserved concurrency is 0";
    } else if (waitingCalls >= limits.maxQueue()) {
      limit = waitingCalls + " calls wait already";
    } else if (waitingBytes + waiter.weight() > limits.maxQueueBytes()) {
      limit = "calls with " + waitingBytes + " bytes wait already";
    } else if (tenancy.function.memory().compareTo(allocatable) > 0) {
      limit = "function needs " + tenancy.function.memory() + ", there is " + allocatable;
    }
    if (limit != null) {
      forgetUnused(tenancy);
      return new Acquisition.Refused(new Refusal.Overloaded(limit));
    }
    long now = nanoTime.getAsLong();
    tenancy.waiting.add(
        new Tenancy.Waiting(waiter, arrivals++, now, now + limits.maxQueueWait().toNanos()));
    waitingCalls++;
    waitingBytes += waiter.weight();
    if (tenancy.waiting.size() > tenancy.expected) {
      place();
    }
    return Acquisition.Queued.QUEUED;
  }

  /// Hands free permits to the function's calls, first come first served.
  @GuardedBy("lock")
  private void serve(Tenancy tenancy) {
    while (!tenancy.waiting.isEmpty()) {
      Lease lease = takePermit(tenancy);
      if (lease == null) {
        return;
      }
      Waiter next = tenancy.waiting.remove().waiter;
      left(next);
      actions.add(() -> next.granted(lease));
    }
  }

  /// Carries out what Placement chooses for all functions that need slots.
  @GuardedBy("lock")
  private void place() {
    long now = nanoTime.getAsLong();
    tenancies.values().forEach(this::thawNeeded);
    List<Placement.Demand> demands = demands(now);
    if (demands.isEmpty()) {
      return;
    }
    List<SlotState> states = new ArrayList<>(slots.size());
    for (Slot slot : slots) {
      states.add(slot.state());
    }
    for (Placement.Decision decision :
        Placement.choose(states, demands, allocatable, limits.patience())) {
      switch (decision) {
        case Placement.Decision.Start start -> start(slots.get(start.slot()), start.function());
        case Placement.Decision.CoolDown coolDown -> makeRoom(slots.get(coolDown.slot()));
        case Placement.Decision.Drain drain -> makeRoom(slots.get(drain.slot()));
        // Memory shrank since the call came; its deadline answers it.
        case Placement.Decision.Refuse _ -> {}
      }
    }
  }

  /// One demand for each slot more that a function could use, by arrival.
  @GuardedBy("lock")
  private List<Placement.Demand> demands(long now) {
    List<Tenancy.Arrival> arrivals = new ArrayList<>();
    for (Tenancy tenancy : tenancies.values()) {
      tenancy.addDemands(arrivals, slots.size(), now);
    }
    arrivals.sort(Comparator.comparingLong(Tenancy.Arrival::order));
    return arrivals.stream().map(Tenancy.Arrival::demand).toList();
  }

  @GuardedBy("lock")
  private void makeRoom(Slot slot) {
    switch (slot.state()) {
      case SlotState.Prewarmed waiting -> stop(slot, waiting.stop(ResetReason.MAKE_ROOM));
      case SlotState.Frozen frozen -> stop(slot, frozen, ResetReason.MAKE_ROOM);
      case SlotState.Warm warm -> drain(slot, warm, ResetReason.MAKE_ROOM);
      default -> throw refused(slot, "make room");
    }
  }

  /// Continues as many of the function's frozen slots as its waiting calls can use, the one used
  /// last first.
  @GuardedBy("lock")
  private void thawNeeded(Tenancy tenancy) {
    while (tenancy.isShort()) {
      Slot latest = null;
      long used = 0;
      for (Slot slot : tenancy.slots) {
        if (slot.state() instanceof SlotState.Frozen frozen
            && (latest == null || frozen.lastUsed() - used > 0)) {
          latest = slot;
          used = frozen.lastUsed();
        }
      }
      if (latest == null || !(latest.state() instanceof SlotState.Frozen frozen)) {
        return;
      }
      move(latest, frozen.thaw(), "call");
      tenancy.expected += tenancy.function.concurrency();
      int index = latest.index;
      actions.add(() -> work.thaw(index));
    }
  }

  /// Cools an idle slot down or freezes it, when it is time.
  @GuardedBy("lock")
  private void age(Slot slot, SlotState.Warm warm, long now) {
    long idle = now - warm.lastUsed();
    long freezeAfter = limits.freezeAfter().toNanos();
    if (idle >= limits.maxIdle().toNanos()) {
      drain(slot, warm, ResetReason.IDLE);
    } else if (freezeAfter > 0 && idle >= freezeAfter) {
      move(slot, warm.freeze(), ResetReason.IDLE);
      int index = slot.index;
      actions.add(() -> work.freeze(index));
    }
  }

  /// Takes back runners that are not needed any more.
  @GuardedBy("lock")
  private void trimReserve(long now) {
    Map<RuntimeConfiguration, Integer> ready = ready();
    for (Slot slot : slots) {
      if (slot.state() instanceof SlotState.Prewarmed waiting
          && reserve.isSurplus(waiting.runtime(), ready.getOrDefault(waiting.runtime(), 0), now)) {
        ready.merge(waiting.runtime(), -1, Integer::sum);
        stop(slot, waiting.stop(ResetReason.IDLE));
      }
    }
  }

  /// Has one more runner started, if one is missing and nobody is held up by it.
  @GuardedBy("lock")
  private void fillReserve() {
    if (limits.maxPrewarmed() == 0 || waitingCalls > 0 || closed) {
      return;
    }
    Slot cold = null;
    long free = allocatable.bytes();
    for (Slot slot : slots) {
      free -= slot.state().memory().bytes();
      switch (slot.state()) {
        case SlotState.Cold _ -> cold = cold == null ? slot : cold;
        case SlotState.WarmingUp _, SlotState.Prewarming _ -> {
          return;
        }
        default -> {}
      }
    }
    if (cold == null || free < baseMemory.bytes()) {
      return;
    }
    RuntimeConfiguration runtime = reserve.missing(ready(), nanoTime.getAsLong()).orElse(null);
    if (runtime != null && cold.state() instanceof SlotState.Cold state) {
      move(cold, state.prewarm(runtime, baseMemory), runtime.name());
      int index = cold.index;
      actions.add(() -> work.prewarm(index, runtime));
    }
  }

  @GuardedBy("lock")
  private Map<RuntimeConfiguration, Integer> ready() {
    Map<RuntimeConfiguration, Integer> ready = new HashMap<>();
    for (Slot slot : slots) {
      if (slot.state() instanceof SlotState.Prewarmed waiting) {
        ready.merge(waiting.runtime(), 1, Integer::sum);
      }
    }
    return ready;
  }

  @GuardedBy("lock")
  private void start(Slot slot, ResolvedFunction function) {
    SlotState.WarmingUp warming =
        switch (slot.state()) {
          case SlotState.Cold cold -> cold.occupy(function);
          case SlotState.Prewarmed waiting -> waiting.occupy(function);
          default -> throw refused(slot, "occupy");
        };
    Tenancy tenancy = tenancy(function);
    if (function.runtime().startsWithoutCode()) {
      reserve.wanted(function.runtime(), nanoTime.getAsLong());
    }
    move(slot, warming, function.key().brn());
    slot.lastAccessMillis = clock.millis();
    tenancy.slots.add(slot);
    String requestId = tenancy.labelAt(tenancy.expected);
    tenancy.expected += function.concurrency();
    int index = slot.index;
    actions.add(() -> work.warmUp(index, function, requestId));
  }

  @GuardedBy("lock")
  private void refuseLoad(Slot slot, byte[] error) {
    Tenancy tenancy = giveUpWarmup(slot, ResetReason.LOAD_FAILED);
    for (Tenancy.Waiting waiting : tenancy.waiting) {
      slot.rejected++;
      refuse(waiting, new Refusal.LoadFailed(error));
    }
    tenancy.waiting.clear();
    forgetUnused(tenancy);
  }

  /// Ends a warm-up that failed. The slot is stopping from now on; the caller has it reset.
  @GuardedBy("lock")
  private Tenancy giveUpWarmup(Slot slot, String reason) {
    if (!(slot.state() instanceof SlotState.WarmingUp warming)) {
      throw refused(slot, reason);
    }
    Tenancy tenancy = tenancy(warming.function());
    tenancy.expected -= warming.function().concurrency();
    tenancy.leave(slot, nanoTime.getAsLong());
    slot.abnormalTimes++;
    move(slot, warming.stop(reason), reason);
    return tenancy;
  }

  @GuardedBy("lock")
  private void drain(Slot slot, SlotState.Warm warm, String reason) {
    leave(slot, warm.function());
    if (warm.isIdle()) {
      stop(slot, warm.stop(reason));
    } else {
      move(slot, warm.drain(reason), reason);
    }
  }

  @GuardedBy("lock")
  private void stop(Slot slot, SlotState.Frozen frozen, String reason) {
    leave(slot, frozen.function());
    stop(slot, frozen.stop(reason));
  }

  /// A slot that calls were to be served by when it is thawed serves its function no more.
  @GuardedBy("lock")
  private void giveUp(Slot slot, SlotState.Thawing thawing) {
    tenancy(thawing.function()).expected -= thawing.function().concurrency();
    leave(slot, thawing.function());
  }

  /// The slot serves its function no more.
  @GuardedBy("lock")
  private void leave(Slot slot, ResolvedFunction function) {
    Tenancy tenancy = tenancies.get(function.key());
    if (tenancy != null) {
      tenancy.leave(slot, nanoTime.getAsLong());
      forgetUnused(tenancy);
    }
  }

  @GuardedBy("lock")
  private void stop(Slot slot, SlotState.Stopping stopping) {
    move(slot, stopping, stopping.reason());
    int index = slot.index;
    actions.add(() -> work.reset(index, stopping.reason()));
  }

  /// Refuses calls whose wait is over and that no warming slot will take.
  @GuardedBy("lock")
  private OptionalLong expire(long now) {
    long next = Long.MAX_VALUE;
    for (Tenancy tenancy : List.copyOf(tenancies.values())) {
      int position = 0;
      for (Iterator<Tenancy.Waiting> all = tenancy.waiting.iterator(); all.hasNext(); position++) {
        Tenancy.Waiting waiting = all.next();
        long left = waiting.deadline - now;
        if (left > 0) {
          next = Math.min(next, left);
        } else if (position >= tenancy.expected) {
          all.remove();
          refuse(
              waiting,
              new Refusal.Overloaded("no slot in " + limits.maxQueueWait().toMillis() + "ms"));
        }
      }
      forgetUnused(tenancy);
    }
    return next == Long.MAX_VALUE ? OptionalLong.empty() : OptionalLong.of(next);
  }

  @GuardedBy("lock")
  private void refuse(Tenancy.Waiting waiting, Refusal refusal) {
    left(waiting.waiter);
    actions.add(() -> waiting.waiter.refused(refusal));
  }

  @GuardedBy("lock")
  private void left(Waiter waiter) {
    waitingCalls--;
    waitingBytes -= waiter.weight();
  }

  @GuardedBy("lock")
  private void move(Slot slot, SlotState next, String reason) {
    SlotState before = slot.state();
    slot.state(next);
    ContainerId id = slot.id;
    actions.add(() -> LOG.info("slot={} {}→{} reason={}", id, before.name(), next.name(), reason));
  }

  /// How a move that may have made room ends: who waits is placed, and when nobody does the reserve
  /// is filled.
  @GuardedBy("lock")
  private List<Runnable> settle() {
    if (waitingCalls > 0) {
      place();
    }
    fillReserve();
    return takeActions();
  }

  @GuardedBy("lock")
  private List<Runnable> takeActions() {
    if (actions.isEmpty()) {
      return List.of();
    }
    List<Runnable> taken = actions;
    actions = new ArrayList<>();
    return taken;
  }

  private static void run(List<Runnable> toDo) {
    for (Runnable action : toDo) {
      try {
        action.run();
      } catch (RuntimeException | OutOfMemoryError e) {
        LOG.error("a pool action failed", e); // The others must still run.
      }
    }
  }

  private static IllegalStateException refused(Slot slot, String move) {
    return new IllegalStateException(
        "slot " + slot.id + " is " + slot.state().name() + ": " + move + " is not allowed");
  }
}
