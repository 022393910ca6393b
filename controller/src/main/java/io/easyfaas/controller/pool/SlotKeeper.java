package io.easyfaas.controller.pool;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.common.wire.ContainerInfo;
import io.easyfaas.common.wire.FreezeRequest;
import io.easyfaas.common.wire.FuncletApi;
import io.easyfaas.common.wire.FuncletNode;
import io.easyfaas.common.wire.PrewarmRequest;
import io.easyfaas.common.wire.ResetRequest;
import io.easyfaas.common.wire.ResetResponse;
import io.easyfaas.common.wire.RunnerExit;
import io.easyfaas.common.wire.WarmupRequest;
import io.easyfaas.controller.registry.ResolvedFunction;
import io.easyfaas.controller.runtime.FlushQueues;
import io.easyfaas.controller.runtime.LoadOutcome;
import io.easyfaas.controller.runtime.Runner;
import io.easyfaas.controller.runtime.RunnerCall;
import io.easyfaas.controller.runtime.RunnerConnection;
import io.easyfaas.controller.runtime.RunnerEvents;
import io.easyfaas.controller.runtime.RunnerException;
import io.easyfaas.controller.runtime.SlotSockets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Does a pool's slow work: puts functions into sandboxes, resets sandboxes, and looks after both
/// once a second. Thread-safe; every piece of work has a virtual thread of its own, which owns the
/// slot until it has told the pool how the work ended: whatever it throws is told as a failure.
///
/// A warm-up is: funclet mounts code and starts the runner (10 s), the runner connects and says
/// HELLO (`runner-alive`), the function is loaded (10 s). Whatever fails, the sandbox is reset.
///
/// When a runner ends, its calls are answered after the reset, because only funclet, which reaps
/// the sandbox, knows how it ended.
public final class SlotKeeper implements SlotWork, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SlotKeeper.class);
  private static final Duration LOAD_WAIT = Duration.ofSeconds(10);
  private static final Duration FUNCLET_RETRY = Duration.ofSeconds(1);
  private static final Duration NODE_REFRESH = Duration.ofSeconds(5);
  private static final Duration SWEEP = Duration.ofSeconds(1);
  private static final String STATE_COLD = "cold";

  private final FuncletApi funclet;
  private final Duration runnerAlive;
  private final InstantSource clock;
  private final Duration sweepPeriod;
  private final List<ContainerId> ids = new ArrayList<>();
  private final List<SlotSockets> sockets = new ArrayList<>();
  // What is done to a slot in turn: it is not reset while it is being frozen, for example.
  private final List<Lock> turns = new ArrayList<>();
  private final ExecutorService threads =
      Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("slot-", 0).factory());
  private final SlotPool pool;
  private volatile FuncletNode node;
  private volatile boolean closed;

  private SlotKeeper(
      FuncletApi funclet,
      List<ContainerInfo> containers,
      FuncletNode node,
      FlushQueues flushes,
      Duration runnerAlive,
      PoolLimits limits,
      LongSupplier nanoTime,
      InstantSource clock) {
    this.funclet = funclet;
    this.node = node;
    this.runnerAlive = runnerAlive;
    this.clock = clock;
    this.sweepPeriod = limits.maxQueueWait().compareTo(SWEEP) < 0 ? limits.maxQueueWait() : SWEEP;
    Map<ContainerId, Boolean> cold = new LinkedHashMap<>();
    for (ContainerInfo container : containers) {
      SlotSockets slot =
          new SlotSockets(container.containerID().value(), flushes, nanoTime, clock::millis);
      ids.add(container.containerID());
      sockets.add(slot);
      turns.add(new ReentrantLock());
      cold.put(container.containerID(), isUsable(container, slot));
    }
    this.pool =
        new SlotPool(
            cold,
            new ByteSize(node.resource().allocatable().memory()),
            new ByteSize(node.resource().baseMemory()),
            limits,
            this,
            nanoTime,
            clock);
  }

  /// Asks funclet for its containers, listens in each, and starts looking after them.
  ///
  /// @param funcletWait how long funclet may take to answer at all
  /// @param runnerAlive how long a started runner may take to connect
  /// @throws RunnerException when funclet does not answer in time
  public static SlotKeeper start(
      FuncletApi funclet,
      Duration funcletWait,
      FlushQueues flushes,
      Duration runnerAlive,
      PoolLimits limits,
      LongSupplier nanoTime,
      InstantSource clock) {
    long deadline = System.nanoTime() + funcletWait.toNanos();
    while (true) {
      try {
        SlotKeeper keeper =
            new SlotKeeper(
                funclet,
                funclet.list(),
                funclet.node(),
                flushes,
                runnerAlive,
                limits,
                nanoTime,
                clock);
        keeper.pool.sweep();
        keeper.threads.execute(keeper::look);
        return keeper;
      } catch (RuntimeException e) {
        if (System.nanoTime() - deadline > 0) {
          throw new RunnerException("funclet does not answer: " + describe(e));
        }
        LOG.info("waiting for funclet: {}", describe(e));
        pause(FUNCLET_RETRY);
      }
    }
  }

  /// The pool this keeper works for.
  public SlotPool pool() {
    return pool;
  }

  /// What the machine or Pod has, as funclet last said.
  public FuncletNode node() {
    return node;
  }

  /// Does at once what else happens every second: idle slots are cooled down, broken ones repaired,
  /// calls past their deadline answered, silent runners found.
  ///
  /// @return nanoseconds until the next waiting call is due, if there is one
  public OptionalLong sweep() {
    OptionalLong next = pool.sweep();
    for (SlotView view : pool.slots()) {
      switch (view.state()) {
        case SlotState.Warm warm -> warm.lease().runner().check();
        case SlotState.Draining draining -> draining.lease().runner().check();
        default -> {} // Who is paused answers no ping.
      }
    }
    return next;
  }

  @Override
  public void prewarm(int slot, RuntimeConfiguration runtime) {
    execute(() -> doPrewarm(slot, runtime));
  }

  @Override
  public void freeze(int slot) {
    execute(() -> inTurn(slot, () -> doFreeze(slot)));
  }

  @Override
  public void thaw(int slot) {
    execute(() -> inTurn(slot, () -> doThaw(slot)));
  }

  @Override
  public void warmUp(int slot, ResolvedFunction function, String requestId) {
    execute(() -> doWarmUp(slot, function, requestId));
  }

  @Override
  public void reset(int slot, String reason) {
    execute(() -> inTurn(slot, () -> doReset(slot, reason, List.of())));
  }

  /// Refuses waiting calls, stops all work and closes every socket. Safe to call twice.
  @Override
  public void close() {
    closed = true;
    pool.close();
    threads.shutdownNow();
    try {
      if (!threads.awaitTermination(5, TimeUnit.SECONDS)) {
        LOG.warn("slot work did not end in 5s");
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
    sockets.forEach(SlotSockets::close);
  }

  private void inTurn(int index, Runnable task) {
    Lock turn = turns.get(index);
    turn.lock();
    try {
      task.run();
    } finally {
      turn.unlock();
    }
  }

  private void doPrewarm(int index, RuntimeConfiguration runtime) {
    SlotSockets slot = sockets.get(index);
    try {
      slot.expectRunner();
      funclet.prewarm(new PrewarmRequest(ids.get(index), "", runtime));
      long deadline = System.nanoTime() + runnerAlive.toNanos();
      RunnerConnection runner = slot.awaitRunner(runnerAlive);
      runner.awaitHello(until(deadline));
      pool.prewarmed(index, runner);
      runner.whenClosed(() -> pool.prewarmedLost(index, runner));
    } catch (Throwable e) {
      if (!closed) {
        LOG.warn(
            "slot={}: {} could not be prewarmed: {}{}",
            ids.get(index),
            runtime.name(),
            describe(e),
            quote(slot.strayOutput()));
      }
      pool.prewarmFailed(index);
    }
  }

  private void doFreeze(int index) {
    if (!pool.isFrozen(index)) {
      return; // A call came first.
    }
    try {
      funclet.freeze(new FreezeRequest(ids.get(index), ""));
    } catch (Throwable e) {
      // It runs on, which harms nobody.
      LOG.warn("slot={} could not be frozen: {}", ids.get(index), describe(e));
    }
  }

  private void doThaw(int index) {
    try {
      funclet.thaw(new FreezeRequest(ids.get(index), ""));
    } catch (Throwable e) {
      LOG.warn("slot={} could not be thawed: {}", ids.get(index), describe(e));
      pool.thawFailed(index);
      return;
    }
    pool.thawed(index);
  }

  private void doWarmUp(int index, ResolvedFunction function, String requestId) {
    SlotSockets slot = sockets.get(index);
    long mountStart = clock.millis();
    try {
      slot.expectRunner();
      funclet.warmup(
          new WarmupRequest(
              ids.get(index),
              requestId,
              function.document().code(),
              function.configuration(),
              function.runtime()));
      long mountEnd = clock.millis();
      long deadline = System.nanoTime() + runnerAlive.toNanos();
      LoadOutcome outcome =
          slot.awaitRunner(runnerAlive)
              .load(
                  function.load(),
                  function.timeout(),
                  until(deadline),
                  LOAD_WAIT,
                  new Tenure(index, mountStart, mountEnd));
      switch (outcome) {
        case LoadOutcome.Ready _ -> {} // The tenure has begun.
        case LoadOutcome.Failed failed -> pool.loadFailed(index, failed.error());
        case LoadOutcome.Ended _ -> endLoad(index, function, requestId);
      }
    } catch (Throwable e) {
      if (!closed) {
        LOG.warn(
            "slot={} request={}: warm-up of {} failed: {}{}",
            ids.get(index),
            requestId,
            function.key().brn(),
            describe(e),
            quote(slot.strayOutput()));
      }
      String detail = "warm up runtime " + ids.get(index) + " failed: " + describe(e);
      if (e instanceof RunnerException) {
        pool.runnerNotStarted(index, detail);
      } else {
        pool.warmupFailed(index, detail);
      }
    }
  }

  /// User code ended the process before the function was loaded. Only a reset tells how, and the
  /// answer is to say it.
  private void endLoad(int index, ResolvedFunction function, String requestId) {
    ResetResponse response =
        funclet.reborn(new ResetRequest(ids.get(index), requestId, ResetReason.LOAD_FAILED));
    LOG.info(
        "slot={} request={}: {} ended while loading{}",
        ids.get(index),
        requestId,
        function.key().brn(),
        quote(sockets.get(index).strayOutput()));
    renew(index, response);
    pool.loadEnded(
        index,
        FunctionErrors.exited(
            Optional.empty(), function.memory(), Optional.ofNullable(response.exit())));
  }

  private void renew(int index, ResetResponse response) {
    sockets.get(index).endGeneration();
    sockets.get(index).listen(Path.of(response.container().socketDirectory()));
  }

  private void doReset(int index, String reason, List<RunnerCall> pending) {
    SlotSockets slot = sockets.get(index);
    String requestId =
        pending.isEmpty() ? "" : new String(pending.getFirst().requestId(), US_ASCII);
    String printed = slot.strayOutput();
    if (!ResetReason.isPlanned(reason) && !printed.isEmpty()) {
      LOG.info("slot={} printed{}", ids.get(index), quote(printed));
    }
    boolean done = false;
    try {
      ResetRequest request = new ResetRequest(ids.get(index), requestId, reason);
      ResetResponse response =
          ResetReason.isPlanned(reason) ? funclet.cooldown(request) : funclet.reborn(request);
      tell(pending, Optional.ofNullable(response.exit()));
      renew(index, response);
      done = true;
    } catch (Throwable e) {
      if (!closed) {
        LOG.warn("slot={} reset ({}) failed: {}", ids.get(index), reason, describe(e));
      }
      slot.endGeneration();
      tell(pending, Optional.empty());
    }
    if (done) {
      pool.resetDone(index);
    } else {
      pool.resetFailed(index);
    }
  }

  /// Calls are told once: what was told is removed.
  private static void tell(List<RunnerCall> pending, Optional<RunnerExit> exit) {
    List<RunnerCall> untold = List.copyOf(pending);
    if (!pending.isEmpty()) {
      pending.clear();
    }
    untold.forEach(call -> call.lost(exit));
  }

  private void execute(Runnable task) {
    try {
      threads.execute(task);
    } catch (RejectedExecutionException _) {
      LOG.debug("slot work after close");
    }
  }

  private boolean isUsable(ContainerInfo container, SlotSockets slot) {
    if (!container.state().equals(STATE_COLD) || !container.currentEvent().isEmpty()) {
      return false;
    }
    try {
      slot.listen(Path.of(container.socketDirectory()));
      return true;
    } catch (RunnerException e) {
      LOG.warn("slot={}: {}", container.containerID(), e.getMessage());
      return false;
    }
  }

  private static Duration until(long deadline) {
    return Duration.ofNanos(Math.max(0, deadline - System.nanoTime()));
  }

  private static String describe(Throwable e) {
    if (e instanceof ApiException failure) {
      StringBuilder text = new StringBuilder(String.valueOf(failure.getMessage()));
      failure.document().backtrace().forEach(cause -> text.append(": ").append(cause.message()));
      return text.toString();
    }
    return e instanceof RunnerException ? String.valueOf(e.getMessage()) : String.valueOf(e);
  }

  private static String quote(String printed) {
    return printed.isEmpty() ? "" : ": " + printed;
  }

  /// The sweeper's thread.
  private void look() {
    long refreshed = System.nanoTime();
    while (!closed) {
      OptionalLong next;
      try {
        next = sweep();
      } catch (Throwable e) {
        LOG.error("the sweep failed", e); // The next one must still come.
        next = OptionalLong.empty();
      }
      if (System.nanoTime() - refreshed >= NODE_REFRESH.toNanos()) {
        refreshed = System.nanoTime();
        execute(this::refreshNode);
      }
      long nanos = Math.min(sweepPeriod.toNanos(), next.orElse(Long.MAX_VALUE));
      pause(Duration.ofNanos(Math.max(nanos, 1_000_000)));
      if (Thread.currentThread().isInterrupted()) {
        return;
      }
    }
  }

  private void refreshNode() {
    try {
      FuncletNode fresh = funclet.node();
      node = fresh;
      pool.allocatable(new ByteSize(fresh.resource().allocatable().memory()));
    } catch (RuntimeException e) {
      LOG.warn("funclet does not answer: {}", describe(e));
    }
  }

  private static void pause(Duration duration) {
    try {
      Thread.sleep(duration);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  /// One warm-up's runner, from LOAD to its end. A loss that comes while the pool is giving the
  /// lease, and sends the first calls, waits for it. Confined to the runner's event loop.
  private final class Tenure implements RunnerEvents {
    private final int index;
    private final long mountStart;
    private final long mountEnd;
    private long loadStart;
    private @Nullable Lease lease;
    private @Nullable String lostReason;
    private final List<RunnerCall> pending = new ArrayList<>();

    Tenure(int index, long mountStart, long mountEnd) {
      this.index = index;
      this.mountStart = mountStart;
      this.mountEnd = mountEnd;
    }

    @Override
    public void loading(Runner runner) {
      loadStart = clock.millis();
    }

    @Override
    public void ready(Runner runner) {
      WarmupTimes times = new WarmupTimes(mountStart, mountEnd, loadStart, clock.millis());
      Lease given;
      try {
        given = pool.connected(index, runner, times);
      } catch (Throwable e) {
        // Who waits for the warm-up takes it for done.
        execute(() -> pool.warmupFailed(index, describe(e)));
        throw e;
      }
      lease = given;
      if (lostReason != null) {
        end(given, lostReason, pending);
      }
    }

    @Override
    public void timedOut(Runner runner) {
      Lease current = lease;
      if (current != null) {
        pool.drain(current, ResetReason.TIMEOUT);
      }
    }

    @Override
    public void ending(Runner runner) {
      Lease current = lease;
      if (current != null) {
        pool.drain(current, ResetReason.RUNNER_EXITED);
      }
    }

    @Override
    public void lost(Runner runner, String reason, List<RunnerCall> calls) {
      Lease current = lease;
      if (current != null) {
        end(current, reason, calls);
      } else {
        lostReason = reason;
        pending.addAll(calls);
      }
    }

    private void end(Lease given, String reason, List<RunnerCall> calls) {
      if (pool.lost(given, reason)) {
        execute(() -> inTurn(index, () -> doReset(index, reason, new ArrayList<>(calls))));
      } else {
        calls.forEach(call -> call.lost(Optional.empty()));
      }
    }
  }
}
