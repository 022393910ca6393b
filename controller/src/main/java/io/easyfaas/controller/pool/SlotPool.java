package io.easyfaas.controller.pool;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.controller.registry.ResolvedFunction;
import io.easyfaas.controller.runtime.Runner;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

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
/// as {@link ReserveFiller} says. They count as room: whoever needs it may have it.
///
/// **Freezing.** A slot that was idle for a while is paused, and continued for the next call of its
/// function, which waits for that.
///
/// **Locking.** One lock, held for a few map and list operations; the invoke path takes it twice a
/// call. Whatever must be told or done is collected under the lock and done after it is released:
/// no waiter, no log line and no I/O ever runs under it.
public final class SlotPool {
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
  private final LongSupplier nanoTime;
  private final InstantSource clock;
  private final Object lock = new Object();

  @GuardedBy("lock")
  private final List<Slot> slots = new ArrayList<>();

  @GuardedBy("lock")
  private final Tenancies tenancies;

  @GuardedBy("lock")
  private final SlotMoves moves;

  @GuardedBy("lock")
  private final CallQueue queue;

  @GuardedBy("lock")
  private final ReserveFiller reserve;

  @GuardedBy("lock")
  private ByteSize allocatable;

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
    this.limits = limits;
    this.tenancies = new Tenancies(nanoTime);
    this.moves = new SlotMoves(work);
    this.queue = new CallQueue(limits, tenancies, moves);
    this.reserve =
        new ReserveFiller(slots, new Reserve(limits.maxPrewarmed()), baseMemory, moves, work);
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
      if (closed) {
        return new Acquisition.Refused(new Refusal.Stopping());
      }
      Tenancy tenancy = tenancies.of(function);
      boolean isFirst = queue.isEmpty() || tenancy.waiting.isEmpty();
      Lease lease = isFirst ? takePermit(tenancy) : null;
      result = lease == null ? enqueue(tenancy, waiter) : lease;
      toDo = moves.take();
    }
    SlotMoves.run(toDo);
    return result;
  }

  /// Gives a lease back. The next call of the function gets it at once.
  public void release(Lease lease) {
    List<Runnable> toDo;
    synchronized (lock) {
      Tenancy tenancy = lease.tenancy;
      if (tenancy.inFlight == 0) {
        throw new IllegalStateException(
            "release of " + tenancy.function.key() + ": nothing is in flight");
      }
      tenancy.inFlight--;
      Slot slot = lease.slot;
      if (slot.isWarm(lease)) {
        slot.give(nanoTime.getAsLong());
        tenancy.usedLast = slot;
        if (!queue.isEmpty()) {
          serve(tenancy);
          if (!queue.isEmpty() && slot.isIdle()) {
            place();
          }
        }
      } else if (slot.state() instanceof SlotState.Draining draining && draining.lease() == lease) {
        SlotState.Draining left = draining.give();
        slot.state(left);
        if (left.inFlight() == 0) {
          moves.stop(slot, left.stop(nanoTime.getAsLong()));
        }
        // Another slot of the function may have room that its limit of calls has kept unused.
        serve(tenancy);
        if (!queue.isEmpty()) {
          place();
        }
        tenancies.forgetUnused(tenancy);
      } else {
        // The slot has been reset since; the permit went with it.
        serve(tenancy);
        tenancies.forgetUnused(tenancy);
      }
      toDo = moves.take();
    }
    SlotMoves.run(toDo);
  }

  /// Takes a call out of the queue.
  ///
  /// @return whether it waited; if not, it was granted or refused before
  public boolean withdraw(ResolvedFunction function, Waiter waiter) {
    synchronized (lock) {
      Tenancy tenancy = tenancies.find(function);
      return tenancy != null && queue.withdraw(tenancy, waiter);
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
        case SlotState.Cold cold ->
            moves.stop(slot, cold.stop(ResetReason.INVALIDATED, nanoTime.getAsLong()));
        case SlotState.Warm warm -> drain(slot, warm, ResetReason.INVALIDATED);
        case SlotState.Prewarmed waiting ->
            moves.stop(slot, waiting.stop(ResetReason.INVALIDATED, nanoTime.getAsLong()));
        case SlotState.Frozen frozen -> stop(slot, frozen, ResetReason.INVALIDATED);
        // The keeper resets it when it cannot connect; once warm it may be invalidated again.
        case SlotState.Prewarming _, SlotState.WarmingUp _, SlotState.Thawing _ -> {}
        case SlotState.Draining _, SlotState.Stopping _ -> {}
        case SlotState.Closed closedSlot ->
            moves.stop(slot, closedSlot.repair(nanoTime.getAsLong()));
      }
      toDo = moves.take();
    }
    SlotMoves.run(toDo);
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
              moves.stop(slot, broken.repair(nanoTime.getAsLong()));
          default -> {}
        }
      }
      next = queue.expire(now);
      reserve.trim(now);
      toDo = settle();
    }
    SlotMoves.run(toDo);
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
      return new Usage(allocatable, new ByteSize(marked), new ByteSize(used), queue.size());
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
      return tenancies.all().stream().mapToInt(tenancy -> tenancy.inFlight).sum();
    }
  }

  /// Refuses every call that waits, and those that come. Safe to call twice.
  public void close() {
    List<Runnable> toDo;
    synchronized (lock) {
      closed = true;
      for (Tenancy tenancy : tenancies.all()) {
        queue.refuseAll(tenancy, new Refusal.Stopping());
      }
      toDo = moves.take();
    }
    SlotMoves.run(toDo);
  }

  /// A runner without a function is connected.
  void prewarmed(int index, Runner runner) {
    List<Runnable> toDo;
    synchronized (lock) {
      reserve.prewarmed(slots.get(index), runner);
      toDo = settle();
    }
    SlotMoves.run(toDo);
  }

  /// A runner without a function did not start.
  void prewarmFailed(int index) {
    List<Runnable> toDo;
    synchronized (lock) {
      reserve.prewarmFailed(slots.get(index), nanoTime.getAsLong());
      toDo = moves.take();
    }
    SlotMoves.run(toDo);
  }

  /// A runner without a function is gone. Nothing happens when it has got one since.
  void prewarmedLost(int index, Runner runner) {
    List<Runnable> toDo;
    synchronized (lock) {
      reserve.prewarmedLost(slots.get(index), runner, nanoTime.getAsLong());
      toDo = moves.take();
    }
    SlotMoves.run(toDo);
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
        moves.move(slot, thawing.thawed(nanoTime.getAsLong()), "thawed");
        Tenancy tenancy = thawing.lease().tenancy;
        tenancy.usedLast = slot;
        serve(tenancy);
      }
      toDo = settle();
    }
    SlotMoves.run(toDo);
  }

  /// A slot's pause could not be ended. Nothing happens when its runner was lost meanwhile.
  void thawFailed(int index) {
    List<Runnable> toDo;
    synchronized (lock) {
      Slot slot = slots.get(index);
      if (slot.state() instanceof SlotState.Thawing thawing) {
        slot.abnormalTimes++;
        giveUp(slot, thawing);
        moves.stop(slot, thawing.stop(ResetReason.THAW_FAILED, nanoTime.getAsLong()));
      }
      toDo = settle();
    }
    SlotMoves.run(toDo);
  }

  /// A warming slot's runner has loaded its function.
  ///
  /// @return the lease that stands for this warm-up
  Lease connected(int index, Runner runner, WarmupTimes times) {
    List<Runnable> toDo;
    Lease lease;
    synchronized (lock) {
      Slot slot = slots.get(index);
      if (!(slot.state() instanceof SlotState.WarmingUp warming)) {
        throw SlotMoves.refused(slot, "connected");
      }
      Tenancy tenancy = tenancies.get(warming.function());
      lease = new Lease(tenancy, slot, runner);
      tenancy.usedLast = slot;
      slot.times = times;
      moves.move(slot, warming.connected(lease, nanoTime.getAsLong()), "connected");
      serve(tenancy);
      toDo = settle();
    }
    SlotMoves.run(toDo);
    return lease;
  }

  /// A function could not be put into its slot. The calls this slot was for try another one, those
  /// that did so already are refused.
  void warmupFailed(int index, String detail) {
    warmupFailed(index, detail, false);
  }

  /// The same, because the runner did not start: the reserve lets its language alone for a while.
  void runnerNotStarted(int index, String detail) {
    warmupFailed(index, detail, true);
  }

  private void warmupFailed(int index, String detail, boolean notStarted) {
    List<Runnable> toDo;
    synchronized (lock) {
      Slot slot = slots.get(index);
      if (notStarted && slot.state() instanceof SlotState.WarmingUp warming) {
        reserve.failed(warming.function().runtime(), nanoTime.getAsLong());
      }
      Tenancy tenancy = giveUpWarmup(slot, ResetReason.WARMUP_FAILED);
      moves.later(() -> work.reset(index, ResetReason.WARMUP_FAILED));
      slot.rejected += queue.retry(tenancy, new Refusal.WarmupFailed(detail), nanoTime.getAsLong());
      tenancies.forgetUnused(tenancy);
      toDo = settle();
    }
    SlotMoves.run(toDo);
  }

  /// A function cannot be loaded: every call that waits for it is told so, and the slot is reset.
  void loadFailed(int index, byte[] error) {
    List<Runnable> toDo;
    synchronized (lock) {
      Slot slot = slots.get(index);
      refuseLoad(slot, error);
      moves.later(() -> work.reset(index, ResetReason.LOAD_FAILED));
      toDo = settle();
    }
    SlotMoves.run(toDo);
  }

  /// The same, when the slot has been reset already to find out why.
  void loadEnded(int index, byte[] error) {
    List<Runnable> toDo;
    synchronized (lock) {
      refuseLoad(slots.get(index), error);
      toDo = settle();
    }
    SlotMoves.run(toDo);
    resetDone(index);
  }

  /// A runner is gone. The slot is stopping from now on; the caller resets it.
  ///
  /// @return false when the lease's slot was given up before
  boolean lost(Lease lease, String reason) {
    List<Runnable> toDo;
    synchronized (lock) {
      Slot slot = lease.slot;
      switch (slot.state()) {
        case SlotState.Warm warm when warm.lease() == lease -> {
          leave(slot, warm.lease());
          moves.move(slot, warm.stop(reason, nanoTime.getAsLong()), reason);
        }
        case SlotState.Frozen frozen when frozen.lease() == lease -> {
          leave(slot, frozen.lease());
          moves.move(slot, frozen.stop(reason, nanoTime.getAsLong()), reason);
        }
        case SlotState.Thawing thawing when thawing.lease() == lease -> {
          giveUp(slot, thawing);
          moves.move(slot, thawing.stop(reason, nanoTime.getAsLong()), reason);
        }
        case SlotState.Draining draining when draining.lease() == lease ->
            moves.move(slot, draining.stop(nanoTime.getAsLong()), reason);
        default -> {
          return false;
        }
      }
      slot.abnormalTimes++;
      toDo = settle();
    }
    SlotMoves.run(toDo);
    return true;
  }

  /// A runner must take no more calls, and be reset when it has none left.
  void drain(Lease lease, String reason) {
    List<Runnable> toDo;
    synchronized (lock) {
      Slot slot = lease.slot;
      if (slot.state() instanceof SlotState.Warm warm && warm.lease() == lease) {
        drain(slot, warm, reason);
      }
      toDo = settle();
    }
    SlotMoves.run(toDo);
  }

  /// A slot's sandbox is new.
  void resetDone(int index) {
    List<Runnable> toDo;
    synchronized (lock) {
      Slot slot = slots.get(index);
      if (!(slot.state() instanceof SlotState.Stopping stopping)) {
        throw SlotMoves.refused(slot, "resetDone");
      }
      slot.lastResetMillis = clock.millis();
      moves.move(slot, stopping.reset(), stopping.reason());
      toDo = settle();
    }
    SlotMoves.run(toDo);
  }

  /// A slot's sandbox could not be made anew; it is tried again later.
  void resetFailed(int index) {
    List<Runnable> toDo;
    synchronized (lock) {
      Slot slot = slots.get(index);
      if (!(slot.state() instanceof SlotState.Stopping stopping)) {
        throw SlotMoves.refused(slot, "resetFailed");
      }
      int doublings = Math.min(stopping.failures(), MAX_RETRY_DOUBLINGS);
      slot.abnormalTimes++;
      moves.move(
          slot,
          stopping.failed(nanoTime.getAsLong() + (FIRST_RETRY.toNanos() << doublings)),
          "reset-failed");
      toDo = moves.take();
    }
    SlotMoves.run(toDo);
  }

  @GuardedBy("lock")
  private @Nullable Lease takePermit(Tenancy tenancy) {
    if (!tenancy.mayRunMore()) {
      return null;
    }
    Slot slot = tenancy.reusable();
    if (slot == null) {
      return null;
    }
    tenancy.inFlight++;
    return slot.take(clock.millis());
  }

  @GuardedBy("lock")
  private Acquisition enqueue(Tenancy tenancy, Waiter waiter) {
    Refusal refusal = neverFits(tenancy.function);
    if (refusal == null) {
      refusal = queue.overload(waiter);
    }
    if (refusal != null) {
      tenancies.forgetUnused(tenancy);
      return new Acquisition.Refused(refusal);
    }
    queue.add(tenancy, waiter, nanoTime.getAsLong());
    if (tenancy.waiting.size() > tenancy.expected()) {
      place();
    }
    return Acquisition.Queued.QUEUED;
  }

  /// Why no call of the function can ever run; null when one can.
  @GuardedBy("lock")
  private @Nullable Refusal neverFits(ResolvedFunction function) {
    if (function.maxInFlight() == 0) {
      return new Refusal.NeverFits("reserved concurrency is 0");
    }
    return function.memory().compareTo(allocatable) > 0
        ? new Refusal.NeverFits("function needs " + function.memory() + ", there is " + allocatable)
        : null;
  }

  @GuardedBy("lock")
  private void refuseAll(ResolvedFunction function) {
    Tenancy tenancy = tenancies.get(function);
    Refusal refusal = neverFits(tenancy.function);
    if (refusal != null) {
      queue.refuseAll(tenancy, refusal);
      tenancies.forgetUnused(tenancy);
    }
  }

  /// Hands free permits to the function's calls, first come first served.
  @GuardedBy("lock")
  private void serve(Tenancy tenancy) {
    while (!tenancy.waiting.isEmpty()) {
      Lease lease = takePermit(tenancy);
      if (lease == null) {
        return;
      }
      queue.grant(tenancy, lease);
    }
  }

  /// Carries out what Placement chooses for all functions that need slots.
  @GuardedBy("lock")
  private void place() {
    tenancies.all().forEach(this::thawNeeded);
    long now = nanoTime.getAsLong();
    List<Placement.Demand> demands = queue.demands(slots.size(), now);
    if (demands.isEmpty()) {
      return;
    }
    List<SlotState> states = new ArrayList<>(slots.size());
    for (Slot slot : slots) {
      states.add(slot.state());
    }
    for (Placement.Decision decision :
        Placement.choose(states, demands, allocatable, limits.patience(), now)) {
      switch (decision) {
        case Placement.Decision.Start start -> start(slots.get(start.slot()), start.function());
        case Placement.Decision.CoolDown coolDown -> makeRoom(slots.get(coolDown.slot()));
        case Placement.Decision.Drain drain -> makeRoom(slots.get(drain.slot()));
        // Memory shrank since its calls came.
        case Placement.Decision.Refuse refuse -> refuseAll(refuse.function());
      }
    }
  }

  @GuardedBy("lock")
  private void makeRoom(Slot slot) {
    switch (slot.state()) {
      case SlotState.Prewarmed waiting ->
          moves.stop(slot, waiting.stop(ResetReason.MAKE_ROOM, nanoTime.getAsLong()));
      case SlotState.Frozen frozen -> stop(slot, frozen, ResetReason.MAKE_ROOM);
      case SlotState.Warm warm -> drain(slot, warm, ResetReason.MAKE_ROOM);
      default -> throw SlotMoves.refused(slot, "make room");
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
      moves.move(latest, frozen.thaw(), "call");
      int index = latest.index;
      moves.later(() -> work.thaw(index));
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
      moves.move(slot, warm.freeze(), ResetReason.IDLE);
      int index = slot.index;
      moves.later(() -> work.freeze(index));
    }
  }

  @GuardedBy("lock")
  private void start(Slot slot, ResolvedFunction function) {
    SlotState.WarmingUp warming =
        switch (slot.state()) {
          case SlotState.Cold cold -> cold.occupy(function);
          case SlotState.Prewarmed waiting -> waiting.occupy(function);
          default -> throw SlotMoves.refused(slot, "occupy");
        };
    Tenancy tenancy = tenancies.get(function);
    String requestId = tenancy.labelAt(tenancy.expected());
    reserve.wanted(function.runtime(), nanoTime.getAsLong());
    moves.move(slot, warming, function.key().brn());
    slot.lastAccessMillis = clock.millis();
    tenancy.slots.add(slot);
    int index = slot.index;
    moves.later(() -> work.warmUp(index, function, requestId));
  }

  @GuardedBy("lock")
  private void refuseLoad(Slot slot, byte[] error) {
    Tenancy tenancy = giveUpWarmup(slot, ResetReason.LOAD_FAILED);
    slot.rejected += tenancy.waiting.size();
    queue.refuseAll(tenancy, new Refusal.LoadFailed(error));
    tenancies.forgetUnused(tenancy);
  }

  /// Ends a warm-up that failed. The slot is stopping from now on; the caller has it reset.
  @GuardedBy("lock")
  private Tenancy giveUpWarmup(Slot slot, String reason) {
    if (!(slot.state() instanceof SlotState.WarmingUp warming)) {
      throw SlotMoves.refused(slot, reason);
    }
    Tenancy tenancy = tenancies.get(warming.function());
    tenancy.leave(slot, nanoTime.getAsLong());
    slot.abnormalTimes++;
    moves.move(slot, warming.stop(reason, nanoTime.getAsLong()), reason);
    return tenancy;
  }

  @GuardedBy("lock")
  private void drain(Slot slot, SlotState.Warm warm, String reason) {
    leave(slot, warm.lease());
    if (warm.isIdle()) {
      moves.stop(slot, warm.stop(reason, nanoTime.getAsLong()));
    } else {
      moves.move(slot, warm.drain(reason), reason);
    }
  }

  @GuardedBy("lock")
  private void stop(Slot slot, SlotState.Frozen frozen, String reason) {
    leave(slot, frozen.lease());
    moves.stop(slot, frozen.stop(reason, nanoTime.getAsLong()));
  }

  /// A slot that calls were to be served by when it is thawed serves its function no more.
  @GuardedBy("lock")
  private void giveUp(Slot slot, SlotState.Thawing thawing) {
    leave(slot, thawing.lease());
  }

  /// The slot serves its function no more.
  @GuardedBy("lock")
  private void leave(Slot slot, Lease lease) {
    lease.tenancy.leave(slot, nanoTime.getAsLong());
    tenancies.forgetUnused(lease.tenancy);
  }

  /// How a move that may have made room ends: who waits is placed, and when nobody does the reserve
  /// is filled.
  @GuardedBy("lock")
  private List<Runnable> settle() {
    if (!queue.isEmpty()) {
      place();
    }
    if (queue.isEmpty() && limits.maxPrewarmed() > 0 && !closed) {
      reserve.fill(allocatable, nanoTime.getAsLong());
    }
    return moves.take();
  }
}
