package io.easyfaas.controller.warden;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.common.wire.ContainerInfo;
import io.easyfaas.common.wire.FuncletApi;
import io.easyfaas.common.wire.FuncletNode;
import io.easyfaas.controller.pool.PoolClock;
import io.easyfaas.controller.pool.PoolLimits;
import io.easyfaas.controller.pool.PoolNode;
import io.easyfaas.controller.pool.Reason;
import io.easyfaas.controller.pool.SlotPool;
import io.easyfaas.controller.pool.SlotState;
import io.easyfaas.controller.pool.SlotView;
import io.easyfaas.controller.pool.SlotWork;
import io.easyfaas.controller.registry.ResolvedFunction;
import io.easyfaas.controller.runtime.FunctionLog;
import io.easyfaas.controller.runtime.RunnerException;
import io.easyfaas.controller.runtime.SlotChannels;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Has a pool's slow work done. Thread-safe; every piece of work has a virtual thread of its own.
public final class Warden implements SlotWork, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Warden.class);
  private static final Duration FUNCLET_RETRY = Duration.ofSeconds(1);

  /// How long a warden waits for others.
  ///
  /// @param funclet until it answers at all, at the start
  /// @param runner until it has connected and said HELLO, after it was started
  /// @param load until a runner has loaded a function
  public record Waits(Duration funclet, Duration runner, Duration load) {}

  /// Where a function's output goes that belongs to no call.
  public interface FunctionLogs {
    /// The log of a function in a container.
    FunctionLog of(ResolvedFunction function, ContainerId container);
  }

  private final FuncletApi funclet;
  private final FunctionLogs logs;
  private final Waits waits;
  private final PoolClock clock;
  private final List<SlotWarden> slots = new ArrayList<>();
  private final ExecutorService threads =
      Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("slot-", 0).factory());
  private final SlotPool pool;
  private volatile FuncletNode node;
  private volatile boolean closed;

  private Warden(
      FuncletApi funclet,
      SlotChannels channels,
      FunctionLogs logs,
      Waits waits,
      PoolLimits limits,
      PoolClock clock) {
    this.funclet = funclet;
    this.logs = logs;
    this.waits = waits;
    this.clock = clock;
    List<ContainerInfo> containers = funclet.list();
    this.node = funclet.node();
    Map<ContainerId, Boolean> cold = new LinkedHashMap<>();
    for (ContainerInfo container : containers) {
      ContainerId id = container.containerID();
      slots.add(new SlotWarden(this, slots.size(), id, channels.of(id.value())));
      cold.put(id, SlotWarden.isUsable(container));
    }
    PoolNode resources =
        new PoolNode(
            allocatable(node),
            new ByteSize(node.resource().baseMemory()),
            Optional.ofNullable(node.probe()));
    this.pool = new SlotPool(cold, resources, limits, this, clock);
  }

  /// Asks funclet for its containers and takes them over. What was left over in them is reset at
  /// the first {@link #sweep}.
  ///
  /// @param channels where runners are handed over
  /// @param logs where a function's output goes that belongs to no call
  /// @throws RunnerException when funclet does not answer in time, or the thread is interrupted
  public static Warden start(
      FuncletApi funclet,
      SlotChannels channels,
      FunctionLogs logs,
      Waits waits,
      PoolLimits limits,
      PoolClock clock) {
    long deadline = System.nanoTime() + waits.funclet().toNanos();
    String told = "";
    while (true) {
      try {
        return new Warden(funclet, channels, logs, waits, limits, clock);
      } catch (RuntimeException e) {
        String reason = Failures.describe(e);
        if (Thread.currentThread().isInterrupted()) {
          throw new RunnerException("interrupted while waiting for funclet: " + reason);
        }
        if (System.nanoTime() - deadline > 0) {
          throw new RunnerException("funclet does not answer: " + reason);
        }
        if (!reason.equals(told)) {
          LOG.info("waiting for funclet: {}", reason);
          told = reason;
        }
        pause(FUNCLET_RETRY);
      }
    }
  }

  /// The pool whose work is done here.
  public SlotPool pool() {
    return pool;
  }

  /// What the machine or Pod has, as funclet last said.
  public FuncletNode node() {
    return node;
  }

  /// Does what is to be done every second: idle slots are cooled down, broken ones repaired, calls
  /// past their deadline answered, silent runners found, and it is tried whether sandboxes take
  /// code where that is not known.
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
  public boolean isPossible() {
    return !isFuncletGone();
  }

  @Override
  public void prewarm(int slot, RuntimeConfiguration runtime) {
    execute(() -> slots.get(slot).prewarm(runtime));
  }

  @Override
  public void probe(int slot, RuntimeConfiguration program) {
    execute(() -> slots.get(slot).probe(program));
  }

  @Override
  public void freeze(int slot) {
    execute(slots.get(slot)::freeze);
  }

  @Override
  public void thaw(int slot) {
    execute(slots.get(slot)::thaw);
  }

  @Override
  public void warmUp(int slot, ResolvedFunction function, String requestId) {
    execute(() -> slots.get(slot).warmUp(function, requestId));
  }

  @Override
  public void reset(int slot, Reason reason) {
    execute(() -> slots.get(slot).reset(reason, List.of()));
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
    slots.forEach(SlotWarden::close);
  }

  FuncletApi funclet() {
    return funclet;
  }

  FunctionLogs logs() {
    return logs;
  }

  Waits waits() {
    return waits;
  }

  PoolClock clock() {
    return clock;
  }

  boolean isClosed() {
    return closed;
  }

  /// Asks funclet anew what there is. Blocks; without an answer nothing changes.
  void refreshNode() {
    try {
      FuncletNode fresh = funclet.node();
      node = fresh;
      pool.allocatable(allocatable(fresh));
    } catch (RuntimeException e) {
      if (!funclet.isGone()) { // Else it is known.
        LOG.warn("funclet does not say what there is: {}", Failures.describe(e));
      }
    }
  }

  /// Whether there is nobody to make sandboxes, see {@link FuncletApi#isGone}.
  public boolean isFuncletGone() {
    return funclet.isGone();
  }

  /// Has work done on a thread of its own.
  ///
  /// @return false when the warden is closed: then it is dropped
  /// @throws Error when it has not begun, and never will
  boolean execute(Runnable work) {
    return execute(threads, work);
  }

  /// Why not simply what the executor says: of a virtual thread that has nothing to run on, the JDK
  /// throws what kept it from making one more to carry it, though another may carry it by then.
  static boolean execute(Executor threads, Runnable work) {
    AtomicBoolean isDecided = new AtomicBoolean();
    try {
      threads.execute(() -> {
        if (isDecided.compareAndSet(false, true)) {
          work.run();
        }
      });
      return true;
    } catch (RejectedExecutionException _) {
      LOG.debug("slot work after close");
      return false;
    } catch (Error e) {
      if (isDecided.compareAndSet(false, true)) {
        throw e;
      }
      return true;
    }
  }

  private static ByteSize allocatable(FuncletNode node) {
    return new ByteSize(node.resource().allocatable().memory());
  }

  static void pause(Duration duration) {
    try {
      Thread.sleep(duration);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
