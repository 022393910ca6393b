package io.easyfaas.funclet.container;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ChannelAddress;
import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.common.wire.ContainerInfo;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.wire.Resource;
import io.easyfaas.common.wire.RunnerExit;
import io.easyfaas.funclet.cgroup.CgroupStats;
import io.easyfaas.funclet.code.CodeCache;
import io.easyfaas.funclet.container.ContainerState.Broken;
import io.easyfaas.funclet.container.ContainerState.Busy;
import io.easyfaas.funclet.container.ContainerState.Closed;
import io.easyfaas.funclet.container.ContainerState.Cold;
import io.easyfaas.funclet.container.ContainerState.Initialising;
import io.easyfaas.funclet.container.ContainerState.Lost;
import io.easyfaas.funclet.container.ContainerState.Pausing;
import io.easyfaas.funclet.container.ContainerState.Prewarmed;
import io.easyfaas.funclet.container.ContainerState.Resetting;
import io.easyfaas.funclet.container.ContainerState.Warm;
import io.easyfaas.funclet.container.ContainerState.WarmingUp;
import io.easyfaas.funclet.launch.LauncherEvent.Exited;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One container: applies the moves of {@link ContainerState} and does the work that goes with
/// them.
///
/// Thread-safe. A request makes the state busy under the lock, works without it, and moves the
/// state on under it again; a second request finds the state busy and is refused. The lock is never
/// held across a call to the launcher, the kernel or the disk.
public final class Container {
  private static final Logger LOG = LoggerFactory.getLogger(Container.class);
  private static final Duration INIT_TIMEOUT = Duration.ofSeconds(30);
  private static final Duration PREWARM_TIMEOUT = Duration.ofSeconds(10);
  private static final Duration RESET_TIMEOUT = Duration.ofSeconds(30);
  private static final Duration REST_TIMEOUT = Duration.ofSeconds(1);
  // An exiting process frees up to its memory limit: far less than this on any machine.
  private static final Duration EXIT_PATIENCE = Duration.ofSeconds(1);

  private static final String KILLED = "the sandbox was killed from outside";

  private final Sandbox sandbox;
  private final MemoryLedger ledger;
  private final CodeCache codes;
  private final Path proc;
  private final Object lock = new Object();

  @GuardedBy("lock")
  private ContainerState state = new Initialising();

  @GuardedBy("lock")
  private @Nullable RunnerWatch runner;

  @GuardedBy("lock")
  private boolean isGone;

  Container(Sandbox sandbox, Containers.Shared shared) {
    this.sandbox = sandbox;
    this.ledger = shared.ledger();
    this.codes = shared.codes();
    this.proc = shared.proc();
  }

  /// Its id.
  public ContainerId id() {
    return sandbox.id();
  }

  /// Makes the first sandbox. A failure makes the container broken and is logged, not thrown.
  void init() {
    try {
      remake(0, "init", Deadline.in(INIT_TIMEOUT));
    } finally {
      settle(new Initialising());
    }
  }

  /// Starts a runner without a function. At most 10 s, and the time of a reset when it fails
  /// half-way.
  ///
  /// @throws ApiException when it is refused or failed; the container is cold then, unless it was
  ///   not before
  void prewarm(RunnerLaunch launch, @Nullable ChannelAddress channel) {
    ByteSize memory = sandbox.baseLimits().memory();
    fill(
        beginPrewarm(),
        PREWARM_TIMEOUT,
        (filling, deadline) -> {
          reserve(filling, memory);
          sandbox.limitInBackground();
          Tenant runner = startRunner(filling, launch, channel, deadline);
          settled(filling.warming.waits(launch, runner));
          LOG.info("container={} cold→prewarmed runner={}", id(), runner.runnerPid());
        });
  }

  /// Puts a function into the container, and starts its runner unless it was prewarmed. At most
  /// what the pace allows for its code, and the time of a reset when it fails half-way.
  ///
  /// A runner that can wait for the code is started first: the code is fetched, unpacked and
  /// mounted while its interpreter starts.
  ///
  /// @throws ApiException when it is refused or failed; the container is cold then, unless it was
  ///   neither cold nor prewarmed before
  void warmup(FunctionLaunch launch, String requestId) {
    fill(
        beginWarmup(launch.runner()),
        codes.pace().time(launch.codeBytes()),
        (filling, deadline) -> {
          reserve(filling, launch.memory());
          sandbox.limit(launch.memory());
          Tenant runner = filling.runner;
          if (runner == null && launch.runner().startsWithoutCode()) {
            runner = startRunner(filling, launch.runner(), launch.channel(), deadline);
          }
          CodeCache.Order code = codes.order(launch.code(), launch.codeKey());
          mountCode(filling, code, deadline);
          if (runner == null) {
            runner = startRunner(filling, launch.runner(), launch.channel(), deadline);
          }
          settled(filling.warming.started(runner.serving(launch.function(), launch.memory())));
          LOG.info(
              "container={} →warm function={} memory={} runner={} request={}",
              id(),
              launch.function(),
              launch.memory(),
              runner.runnerPid(),
              requestId);
        });
  }

  /// Pauses what runs in it. At most 2 s.
  ///
  /// @throws ApiException when it is not warm, or the kernel refuses
  void freeze() {
    pause(() -> sandbox.freeze(Deadline.in(REST_TIMEOUT)), "freeze");
  }

  /// Ends the pause. At most 2 s.
  ///
  /// @throws ApiException when it is not warm, or the kernel refuses
  void thaw() {
    pause(sandbox::thaw, "thaw");
  }

  private void pause(Runnable change, String what) {
    Pausing pausing;
    synchronized (lock) {
      pausing =
          switch (state) {
            case Warm warm -> warm.pause();
            case Busy busy -> throw busy(busy, ContainerEvent.FREEZE);
            case Cold _, Prewarmed _, Broken _, Lost _, Closed _ -> throw isNot("warm");
          };
      state = pausing;
    }
    try {
      change.run();
    } catch (SandboxException e) {
      throw new ApiException(ErrorCode.SERVICE, what + " " + id() + ": " + e.getMessage());
    } finally {
      synchronized (lock) {
        state = isGone ? pausing.warm().gone(KILLED) : pausing.warm();
        lock.notifyAll();
      }
    }
  }

  /// What is being put into a container, and how far that has got. Not thread-safe; owned by the
  /// thread that keeps the container busy.
  private static final class Filling {
    final WarmingUp warming;
    final Holdings holdings;
    final @Nullable Tenant runner; // A prewarmed one, which runs already.
    // Whether only a new sandbox undoes it.
    boolean isTouched;

    Filling(Cold cold) {
      warming = cold.warmUp();
      holdings = new Holdings();
      runner = null;
    }

    Filling(Prewarmed prewarmed) {
      warming = prewarmed.warmUp();
      runner = prewarmed.tenant();
      holdings = prewarmed.tenant().holdings();
      isTouched = true;
    }
  }

  /// Does the work of a warm-up, and undoes it when it fails.
  private void fill(Filling filling, Duration timeout, BiConsumer<Filling, Deadline> work) {
    try {
      work.accept(filling, Deadline.in(timeout));
    } catch (ApiException e) {
      undo(filling, String.valueOf(e.getMessage()));
      throw e;
    } catch (SandboxException e) {
      undo(filling, String.valueOf(e.getMessage()));
      throw new ApiException(ErrorCode.SERVICE, "warm up " + id() + ": " + e.getMessage());
    } catch (RuntimeException e) {
      undo(filling, e.toString());
      throw e;
    } finally {
      settle(filling.warming);
    }
  }

  private void reserve(Filling filling, ByteSize memory) {
    ledger.reserve(id(), memory);
    filling.holdings.add(() -> ledger.release(id())); // Twice is once.
  }

  private void mountCode(Filling filling, CodeCache.Order code, Deadline deadline) {
    CodeCache.Lease lease = code.await(deadline.remaining());
    filling.holdings.add(lease::close);
    filling.isTouched = true;
    sandbox.mountCode(lease.directory(), deadline);
  }

  private Tenant startRunner(
      Filling filling, RunnerLaunch launch, @Nullable ChannelAddress channel, Deadline deadline) {
    if (channel == null) {
      throw new ApiException(ErrorCode.INVALID_PARAMETER, "Channel is missing");
    }
    filling.isTouched = true;
    RunnerWatch watch = watch();
    long pid = sandbox.start(launch, channel, deadline);
    return new Tenant("", sandbox.baseLimits().memory(), pid, watch, filling.holdings);
  }

  /// Destroys the sandbox and makes a new one. At most 30 s.
  ///
  /// @param reason why, for the log
  /// @return how the runner had ended by itself; empty when it ran, or there was none
  /// @throws ApiException when the container is busy, or broken afterwards
  Optional<RunnerExit> reset(String reason) {
    ContainerState before = beginReset(reason);
    try {
      return reset(before, reason, Deadline.in(RESET_TIMEOUT));
    } finally {
      settle(before);
    }
  }

  private Optional<RunnerExit> reset(ContainerState before, String reason, Deadline deadline) {
    Optional<RunnerExit> exit = exit(before);
    try {
      sandbox.destroy(deadline);
    } catch (SandboxException e) {
      // Processes may live on, so what they use is not given back.
      move(lost(before, String.valueOf(e.getMessage())), reason);
      throw new ApiException(ErrorCode.SERVICE, "reset " + id() + ": " + e.getMessage());
    }
    tenant(before).ifPresent(tenant -> tenant.holdings().release());
    if (remake(before.generation(), reason, deadline) instanceof Broken broken) {
      throw new ApiException(ErrorCode.SERVICE, "reset " + id() + ": " + broken.reason());
    }
    return exit;
  }

  /// Waits until nobody else works on the container, at most 30 s, and resets it if it is broken.
  void repair(String reason) {
    Deadline deadline = Deadline.in(RESET_TIMEOUT);
    synchronized (lock) {
      while (state instanceof Busy && !deadline.remaining().isZero()) {
        try {
          lock.wait(Math.max(1, deadline.remaining().toMillis()));
        } catch (InterruptedException _) {
          Thread.currentThread().interrupt();
          return;
        }
      }
      if (!(state instanceof Broken) && !(state instanceof Lost)) {
        return;
      }
    }
    try {
      reset(reason);
    } catch (ApiException e) {
      LOG.error("container={} could not be repaired: {}", id(), e.getMessage());
    }
  }

  /// Ends the container for good: nothing of it is left on the machine. Waits for a request that
  /// still works on it, at most 30 s.
  void close(Deadline deadline) {
    ContainerState before;
    synchronized (lock) {
      while (state instanceof Busy && !deadline.remaining().isZero()) {
        try {
          lock.wait(Math.max(1, deadline.remaining().toMillis()));
        } catch (InterruptedException _) {
          Thread.currentThread().interrupt();
          break;
        }
      }
      before = state;
      state = new Closed(before.generation());
    }
    try {
      sandbox.close(deadline);
    } catch (SandboxException e) {
      LOG.error("container={} could not be closed: {}", id(), e.getMessage());
    }
    tenant(before).ifPresent(tenant -> tenant.holdings().release());
  }

  /// Takes the end of the runner. Does not block.
  void runnerExited(Exited event) {
    RunnerWatch watch;
    synchronized (lock) {
      watch = runner;
    }
    LOG.info("container={} runner={} ended with status {}", id(), event.pid(), event.code());
    if (watch != null) {
      watch.onExit(event);
    }
  }

  /// Takes the end of the sandbox that nobody asked for. Does not block.
  ///
  /// @return whether nobody but the engine knows: the container was cold, so no controller waits
  ///   for its runner and asks for a reborn
  boolean sandboxGone(String reason) {
    ContainerState after;
    boolean wasCold;
    synchronized (lock) {
      wasCold = state instanceof Cold;
      isGone = true; // Whoever works on it now looks at this before calling it done.
      after =
          switch (state) {
            case Cold cold -> new Broken(cold.generation(), reason);
            case Prewarmed prewarmed -> prewarmed.gone(reason);
            case Warm warm -> warm.gone(reason);
            case Busy _, Broken _, Lost _, Closed _ -> state;
          };
      state = after;
      lock.notifyAll();
    }
    LOG.warn("container={} {}: {}", id(), after.wireName(), reason);
    return wasCold;
  }

  /// What it is, without live statistics.
  public ContainerInfo info() {
    return info(null);
  }

  /// What it is and uses.
  ///
  /// @throws ApiException when the kernel does not tell
  public ContainerInfo infoWithStats() {
    synchronized (lock) {
      if (state.hostPid() == 0) {
        return info();
      }
    }
    try {
      return info(sandbox.stats());
    } catch (SandboxException e) {
      throw new ApiException(ErrorCode.SERVICE, id() + ": " + e.getMessage());
    }
  }

  private ContainerInfo info(@Nullable CgroupStats stats) {
    ContainerState now;
    synchronized (lock) {
      now = state;
    }
    ByteSize memory =
        tenant(now).map(Tenant::memory).orElseGet(() -> sandbox.baseLimits().memory());
    double cores =
        sandbox.baseLimits().cpuLimit() > 0
            ? sandbox.baseLimits().cpuLimit()
            : sandbox.baseLimits().cpuRequest();
    return new ContainerInfo(
        id().value(),
        id(),
        now.hostPid(),
        now.generation(),
        now.wireName(),
        now instanceof Busy busy ? busy.event().wireName() : "",
        stats != null && stats.isFrozen(),
        new Resource(Math.round(cores * 1000), memory.bytes()),
        stats == null
            ? null
            : new ContainerInfo.ResourceStats(
                new ContainerInfo.MemoryStats(
                    stats.memoryUsage(), stats.memoryLimit(), stats.swapLimit()),
                new ContainerInfo.CpuStats(stats.cpuNanos()),
                stats.isFrozen() ? "FROZEN" : "THAWED"),
        now.reason());
  }

  private Filling beginPrewarm() {
    synchronized (lock) {
      Filling filling =
          switch (state) {
            case Cold cold -> new Filling(cold);
            case Busy busy -> throw busy(busy, ContainerEvent.WARMUP);
            case Prewarmed _, Warm _, Broken _, Lost _, Closed _ -> throw isNot("cold");
          };
      state = filling.warming;
      return filling;
    }
  }

  private Filling beginWarmup(RunnerLaunch runner) {
    synchronized (lock) {
      Filling filling =
          switch (state) {
            case Cold cold -> new Filling(cold);
            case Prewarmed prewarmed when prewarmed.launch().equals(runner) ->
                new Filling(prewarmed);
            case Busy busy -> throw busy(busy, ContainerEvent.WARMUP);
            case Prewarmed _ -> throw isNot("cold, or prewarmed with " + runner.command());
            case Warm _, Broken _, Lost _, Closed _ -> throw isNot("cold");
          };
      state = filling.warming;
      return filling;
    }
  }

  private ContainerState beginReset(String reason) {
    ContainerState before;
    synchronized (lock) {
      before = state;
      state =
          switch (before) {
            case Cold _, Prewarmed _, Warm _, Broken _, Lost _ ->
                new Resetting(before.generation(), before.hostPid(), before.wireName());
            case Busy busy -> throw busy(busy, ContainerEvent.RESET);
            case Closed _ ->
                throw new ApiException(ErrorCode.UNAVAILABLE, "the engine is stopping");
          };
    }
    LOG.info("container={} {}→resetting reason={}", id(), before.wireName(), reason);
    return before;
  }

  /// Ends a warm-up, unless its sandbox was killed meanwhile.
  private void settled(ContainerState next) {
    synchronized (lock) {
      if (isGone) {
        throw new SandboxException(KILLED);
      }
      state = next;
      lock.notifyAll();
    }
  }

  private void undo(Filling filling, String reason) {
    WarmingUp warming = filling.warming;
    if (!filling.isTouched) {
      filling.holdings.release();
      restoreLimit();
      move(new Cold(warming.generation(), warming.initPid()), reason);
      return;
    }
    Deadline deadline = Deadline.in(RESET_TIMEOUT);
    try {
      sandbox.destroy(deadline);
    } catch (SandboxException e) {
      Tenant remains = new Tenant("", ByteSize.ZERO, 0, new RunnerWatch(() -> 0), filling.holdings);
      move(new Lost(warming.generation(), remains, String.valueOf(e.getMessage())), reason);
      return;
    }
    filling.holdings.release();
    remake(warming.generation(), reason, deadline);
  }

  private void restoreLimit() {
    try {
      sandbox.limit(sandbox.baseLimits().memory());
    } catch (SandboxException e) {
      LOG.warn("container={} {}", id(), e.getMessage()); // The next warm-up sets it anyway.
    }
  }

  /// Makes a sandbox where there is none, and moves the state to cold or broken.
  private ContainerState remake(long generation, String reason, Deadline deadline) {
    ContainerState after;
    synchronized (lock) {
      runner = null;
      isGone = false;
    }
    try {
      after = new Cold(generation + 1, sandbox.create(deadline));
    } catch (SandboxException e) {
      LOG.error("container={} {}", id(), e.getMessage());
      after = new Broken(generation, String.valueOf(e.getMessage()));
    }
    return move(after, reason);
  }

  private ContainerState move(ContainerState next, String reason) {
    ContainerState after;
    synchronized (lock) {
      // A sandbox that was killed while it was being made is not cold.
      after = isGone && next instanceof Cold cold ? new Broken(cold.generation(), KILLED) : next;
      state = after;
      lock.notifyAll();
    }
    LOG.info(
        "container={} →{} generation={} reason={}",
        id(),
        after.wireName(),
        after.generation(),
        reason);
    return after;
  }

  private RunnerWatch watch() {
    RunnerWatch watch = new RunnerWatch(sandbox::oomKills);
    synchronized (lock) {
      runner = watch;
    }
    return watch;
  }

  /// How the runner ended by itself. With a sandbox that is lost no more events come.
  private Optional<RunnerExit> exit(ContainerState before) {
    Duration patience = before instanceof Warm ? EXIT_PATIENCE : Duration.ZERO;
    return tenant(before).flatMap(tenant -> tenant.runner().exit(stat(tenant), patience));
  }

  private Path stat(Tenant tenant) {
    return proc.resolve(Long.toString(tenant.runnerPid())).resolve("stat");
  }

  /// Call with the lock held.
  @GuardedBy("lock")
  private ApiException isNot(String expected) {
    String is =
        state instanceof Prewarmed || state instanceof Warm
            ? "is " + state.wireName() + " (expected: " + expected + ")"
            : "not running: " + state.reason();
    return new ApiException(ErrorCode.RESOURCE_CONFLICT, "container " + id() + " " + is);
  }

  private ApiException busy(Busy busy, ContainerEvent wanted) {
    return new ApiException(
        ErrorCode.RESOURCE_CONFLICT,
        "container "
            + id()
            + " is busy: current event "
            + busy.event().wireName()
            + ", trigger event "
            + wanted.wireName());
  }

  /// However the work ended, by a defect of ours for example, nobody may stay busy without a thread
  /// that is.
  private void settle(ContainerState before) {
    synchronized (lock) {
      if (state instanceof Busy) {
        state = lost(before, "the engine failed; see its log");
        lock.notifyAll();
      }
    }
  }

  private static ContainerState lost(ContainerState before, String reason) {
    return tenant(before)
        .<ContainerState>map(tenant -> new Lost(before.generation(), tenant, reason))
        .orElseGet(() -> new Broken(before.generation(), reason));
  }

  private static Optional<Tenant> tenant(ContainerState state) {
    return switch (state) {
      case Prewarmed prewarmed -> Optional.of(prewarmed.tenant());
      case Warm warm -> Optional.of(warm.tenant());
      case Pausing pausing -> Optional.of(pausing.warm().tenant());
      case Lost lost -> Optional.of(lost.tenant());
      case Initialising _, Cold _, WarmingUp _, Resetting _, Broken _, Closed _ -> Optional.empty();
    };
  }
}
