package io.easyfaas.funclet.container;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ChannelAddress;
import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.common.wire.ContainerInfo;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.wire.ResetResponse;
import io.easyfaas.funclet.cgroup.CgroupStats;
import io.easyfaas.funclet.code.CodeCache;
import io.easyfaas.funclet.container.ContainerState.Broken;
import io.easyfaas.funclet.container.ContainerState.Cold;
import io.easyfaas.funclet.container.ContainerState.Initialising;
import io.easyfaas.funclet.container.ContainerState.Lost;
import io.easyfaas.funclet.container.ContainerState.Pausing;
import io.easyfaas.funclet.container.ContainerState.Resetting;
import io.easyfaas.funclet.launch.LauncherEvent.Exited;
import java.time.Duration;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One container: does the work that goes with the moves of {@link ContainerState}. Thread-safe,
/// see {@link ContainerMoves}: who has made the state busy works alone.
public final class Container {
  private static final Logger LOG = LoggerFactory.getLogger(Container.class);
  private static final Duration INIT_TIMEOUT = Duration.ofSeconds(30);
  private static final Duration PREWARM_TIMEOUT = Duration.ofSeconds(10);
  private static final Duration REST_TIMEOUT = Duration.ofSeconds(1);

  private static final String FAILED = "the engine failed; see its log";

  private final Sandbox sandbox;
  private final MemoryLedger ledger;
  private final CodeCache codes;
  private final ContainerMoves moves;
  private final Renewal renewal;

  Container(Sandbox sandbox, Containers.Shared shared) {
    this.sandbox = sandbox;
    this.ledger = shared.ledger();
    this.codes = shared.codes();
    this.moves = new ContainerMoves(sandbox.id());
    this.renewal = new Renewal(sandbox, moves, shared.proc());
  }

  /// Its id.
  public ContainerId id() {
    return sandbox.id();
  }

  /// Makes the first sandbox. A failure makes the container broken and is logged, not thrown.
  void init() {
    Initialising initialising = moves.beginInit();
    try {
      renewal.make(0, "init", Deadline.in(INIT_TIMEOUT));
    } finally {
      moves.endWork(initialising, initialising.lost(FAILED));
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
        moves.beginPrewarm(),
        PREWARM_TIMEOUT,
        (filling, deadline) -> {
          reserve(filling, memory);
          sandbox.limitInBackground();
          Tenant runner = startRunner(filling, launch, channel, deadline);
          moves.filled(filling.warming().waits(launch, runner));
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
        moves.beginWarmup(launch.runner()),
        codes.pace().time(launch.codeBytes()),
        (filling, deadline) -> {
          reserve(filling, launch.memory());
          sandbox.limit(launch.memory());
          Tenant runner = filling.runner();
          if (runner == null && launch.runner().startsWithoutCode()) {
            runner = startRunner(filling, launch.runner(), launch.channel(), deadline);
          }
          CodeCache.Order code = codes.order(launch.code(), launch.codeKey());
          mountCode(filling, code, deadline);
          if (runner == null) {
            runner = startRunner(filling, launch.runner(), launch.channel(), deadline);
          }
          moves.filled(
              filling.warming().started(runner.serving(launch.function(), launch.memory())));
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
    Pausing pausing = moves.beginPause();
    try {
      change.run();
    } catch (SandboxException e) {
      throw new ApiException(ErrorCode.SERVICE, what + " " + id() + ": " + e.getMessage());
    } finally {
      moves.endPause(pausing);
    }
  }

  /// Does the work of a warm-up, and undoes it when it fails.
  private void fill(Filling filling, Duration timeout, BiConsumer<Filling, Deadline> work) {
    try {
      work.accept(filling, Deadline.in(timeout));
    } catch (ApiException e) {
      renewal.undo(filling, String.valueOf(e.getMessage()));
      throw e;
    } catch (SandboxException e) {
      // Another sandbox may do, or this one made anew.
      ErrorCode code =
          e.isOfALostOne() || moves.isGone() ? ErrorCode.UNAVAILABLE : ErrorCode.SERVICE;
      renewal.undo(filling, String.valueOf(e.getMessage()));
      throw new ApiException(code, "warm up " + id() + ": " + e.getMessage());
    } catch (RuntimeException | Error e) {
      renewal.undo(filling, e.toString());
      throw e;
    } finally {
      moves.endWork(filling.warming(), filling.lost(FAILED));
    }
  }

  private void reserve(Filling filling, ByteSize memory) {
    ledger.reserve(id(), memory);
    filling.holdings().add(() -> ledger.release(id())); // Twice is once.
  }

  private void mountCode(Filling filling, CodeCache.Order code, Deadline deadline) {
    CodeCache.Lease lease = code.await(deadline.remaining());
    filling.holdings().add(lease::close);
    filling.touch();
    sandbox.mountCode(lease.directory(), deadline);
  }

  private Tenant startRunner(
      Filling filling, RunnerLaunch launch, @Nullable ChannelAddress channel, Deadline deadline) {
    if (channel == null) {
      throw new ApiException(ErrorCode.INVALID_PARAMETER, "Channel is missing");
    }
    filling.touch();
    RunnerWatch watch = new RunnerWatch(sandbox::oomKills);
    moves.watch(watch);
    long pid = sandbox.start(launch, channel, deadline);
    return new Tenant("", sandbox.baseLimits().memory(), pid, watch, filling.holdings());
  }

  /// Destroys the sandbox and makes a new one. At most 30 s.
  ///
  /// @param reason why, for the log
  /// @return what it is now, and how the runner had ended
  /// @throws ApiException when the container is busy, or broken afterwards: {@link
  ///   ErrorCode#UNAVAILABLE} when it was empty already, see {@link ResetResponse}
  ResetResponse reset(String reason) {
    Resetting resetting = moves.beginReset();
    ContainerState before = resetting.before();
    LOG.info("container={} {}→resetting reason={}", id(), before.wireName(), reason);
    try {
      Renewal.Outcome outcome = renewal.renew(before, reason, Deadline.in(Renewal.TIMEOUT));
      return new ResetResponse(info(), outcome.exit().orElse(null), outcome.wasEmpty());
    } finally {
      moves.endWork(resetting, before.lost(FAILED));
    }
  }

  /// Waits until nobody else works on the container, at most 30 s, and resets it if it is broken.
  void repair(String reason) {
    ContainerState now = moves.awaitRest(Deadline.in(Renewal.TIMEOUT));
    if (!(now instanceof Broken) && !(now instanceof Lost)) {
      return;
    }
    try {
      ResetResponse _ = reset(reason);
    } catch (ApiException e) {
      LOG.error("container={} could not be repaired: {}", id(), e.getMessage());
    }
  }

  /// Ends the container for good: nothing of it is left on the machine. Waits for a request that
  /// still works on it, at most 30 s.
  void close(Deadline deadline) {
    ContainerState before = moves.close(deadline);
    try {
      sandbox.close(deadline);
    } catch (SandboxException e) {
      LOG.error("container={} could not be closed: {}", id(), e.getMessage());
    }
    before.occupant().ifPresent(tenant -> tenant.holdings().release());
  }

  /// Takes the end of the runner. Does not block.
  void runnerExited(Exited event) {
    LOG.info("container={} runner={} ended with status {}", id(), event.pid(), event.code());
    moves.watched().ifPresent(watch -> watch.onExit(event));
  }

  /// Takes the end of the sandbox that nobody asked for. Does not block.
  ///
  /// @return whether nobody but the engine knows: the container was cold, so no controller waits
  ///   for its runner and asks for a reborn
  boolean sandboxGone(String reason) {
    ContainerMoves.Move move = moves.gone(reason);
    moves.watched().ifPresent(RunnerWatch::onGone);
    LOG.warn("container={} {}: {}", id(), move.after().wireName(), reason);
    return move.before() instanceof Cold;
  }

  /// What it is, without live statistics.
  public ContainerInfo info() {
    return info(null);
  }

  /// What it is and uses.
  ///
  /// @throws ApiException when the kernel does not tell
  public ContainerInfo infoWithStats() {
    if (moves.now().hostPid() == 0) {
      return info();
    }
    try {
      return info(sandbox.stats());
    } catch (SandboxException e) {
      throw new ApiException(ErrorCode.SERVICE, id() + ": " + e.getMessage());
    }
  }

  private ContainerInfo info(@Nullable CgroupStats stats) {
    return ContainerReport.of(id(), moves.now(), sandbox.baseLimits(), stats);
  }
}
