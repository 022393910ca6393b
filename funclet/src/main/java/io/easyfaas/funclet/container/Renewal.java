package io.easyfaas.funclet.container;

import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.wire.RunnerExit;
import io.easyfaas.funclet.container.ContainerState.Broken;
import io.easyfaas.funclet.container.ContainerState.Cold;
import io.easyfaas.funclet.container.ContainerState.Prewarmed;
import io.easyfaas.funclet.container.ContainerState.Warm;
import io.easyfaas.funclet.container.ContainerState.WarmingUp;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Ends a container's sandbox and makes the next one. Not thread-safe; owned by the thread that
/// keeps the container busy.
final class Renewal {
  /// All of it, at most.
  static final Duration TIMEOUT = Duration.ofSeconds(30);

  private static final Logger LOG = LoggerFactory.getLogger(Renewal.class);
  // An exiting process frees up to its memory limit: far less than this on any machine.
  private static final Duration EXIT_PATIENCE = Duration.ofSeconds(1);

  private final Sandbox sandbox;
  private final ContainerMoves moves;
  private final Path proc;

  /// What a container was when it was renewed.
  ///
  /// @param exit how its runner had ended by itself
  /// @param wasEmpty whether nothing ran in it
  record Outcome(Optional<RunnerExit> exit, boolean wasEmpty) {}

  /// @param proc where the kernel describes processes
  Renewal(Sandbox sandbox, ContainerMoves moves, Path proc) {
    this.sandbox = sandbox;
    this.moves = moves;
    this.proc = proc;
  }

  /// Makes a sandbox where there is none, and moves the state to cold or broken.
  ContainerState make(long generation, String reason, Deadline deadline) {
    ContainerState after;
    try {
      sandbox.open(deadline);
      moves.remaking(); // After it: until then the end of the last keeper may be told.
      after = new Cold(generation + 1, sandbox.create(deadline));
    } catch (SandboxException e) {
      LOG.error("container={} {}", sandbox.id(), e.getMessage());
      after = new Broken(generation, String.valueOf(e.getMessage()));
    }
    return moves.move(after, reason);
  }

  /// Destroys what there is, gives back what it holds, and makes a new one.
  ///
  /// @throws ApiException when it is lost or broken afterwards: {@link ErrorCode#UNAVAILABLE} when
  ///   it was empty already
  Outcome renew(ContainerState before, String reason, Deadline deadline) {
    Optional<RunnerExit> exit = exit(before);
    boolean hasRunner = before instanceof Warm || before instanceof Prewarmed;
    boolean wasEmpty = exit.isEmpty() && (!hasRunner || moves.isGone());
    try {
      sandbox.destroy(deadline);
    } catch (SandboxException e) {
      // Processes may live on, so what they use is not given back.
      moves.move(before.lost(String.valueOf(e.getMessage())), reason);
      throw failed(wasEmpty, String.valueOf(e.getMessage()));
    }
    before.occupant().ifPresent(tenant -> tenant.holdings().release());
    if (make(before.generation(), reason, deadline) instanceof Broken broken) {
      throw failed(wasEmpty, broken.reason());
    }
    return new Outcome(exit, wasEmpty);
  }

  private ApiException failed(boolean wasEmpty, String why) {
    ErrorCode code = wasEmpty ? ErrorCode.UNAVAILABLE : ErrorCode.SERVICE;
    return new ApiException(code, "reset " + sandbox.id() + ": " + why);
  }

  /// Takes out again what a warm-up that failed has put in.
  void undo(Filling filling, String reason) {
    WarmingUp warming = filling.warming();
    if (!filling.isTouched()) {
      filling.holdings().release();
      restoreLimit();
      moves.move(new Cold(warming.generation(), warming.initPid()), reason);
      return;
    }
    Deadline deadline = Deadline.in(TIMEOUT);
    try {
      sandbox.destroy(deadline);
    } catch (SandboxException e) {
      moves.move(filling.lost(String.valueOf(e.getMessage())), reason);
      return;
    }
    filling.holdings().release();
    make(warming.generation(), reason, deadline);
  }

  private void restoreLimit() {
    try {
      sandbox.limit(sandbox.baseLimits().memory());
    } catch (SandboxException e) {
      LOG.warn("container={} {}", sandbox.id(), e.getMessage()); // The next warm-up sets it anyway.
    }
  }

  /// How the runner ended by itself. With a sandbox that is lost no more events come.
  private Optional<RunnerExit> exit(ContainerState before) {
    Duration patience = before instanceof Warm ? EXIT_PATIENCE : Duration.ZERO;
    return before.occupant().flatMap(tenant -> tenant.runner().exit(stat(tenant), patience));
  }

  private Path stat(Tenant tenant) {
    return proc.resolve(Long.toString(tenant.runnerPid())).resolve("stat");
  }
}
