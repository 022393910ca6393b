package io.easyfaas.funclet.container;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.common.wire.ErrorCode;
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
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The state one container is in, and who may move it on. Thread-safe.
///
/// A request makes the state busy, works, and moves it on; a second request finds it busy and is
/// refused. The lock is never held across a call to the launcher, the kernel or the disk. That the
/// sandbox was killed from outside may come at any time: whoever works on it then learns it when he
/// would call his work done.
final class ContainerMoves {
  private static final Logger LOG = LoggerFactory.getLogger(ContainerMoves.class);
  private static final String KILLED = "the sandbox was killed from outside";

  private final ContainerId id;
  private final Object lock = new Object();

  @GuardedBy("lock")
  private ContainerState state = new Initialising();

  @GuardedBy("lock")
  private @Nullable RunnerWatch runner;

  @GuardedBy("lock")
  private boolean isGone;

  ContainerMoves(ContainerId id) {
    this.id = id;
  }

  /// The state it is in.
  ContainerState now() {
    synchronized (lock) {
      return state;
    }
  }

  /// The first sandbox is to be made.
  Initialising beginInit() {
    synchronized (lock) {
      Initialising initialising = new Initialising();
      state = initialising;
      return initialising;
    }
  }

  /// A runner is to be started.
  ///
  /// @throws ApiException when the container is not cold
  Filling beginPrewarm() {
    synchronized (lock) {
      Filling filling =
          switch (state) {
            case Cold cold -> new Filling(cold);
            case Busy busy -> throw busy(busy, ContainerEvent.WARMUP);
            case Prewarmed _, Warm _, Broken _, Lost _, Closed _ -> throw isNot("cold");
          };
      state = filling.warming();
      return filling;
    }
  }

  /// A function is to be put in.
  ///
  /// @param launch the runner that it needs
  /// @throws ApiException when the container is neither cold nor prewarmed with such a runner
  Filling beginWarmup(RunnerLaunch launch) {
    synchronized (lock) {
      Filling filling =
          switch (state) {
            case Cold cold -> new Filling(cold);
            case Prewarmed prewarmed when prewarmed.launch().equals(launch) ->
                new Filling(prewarmed);
            case Busy busy -> throw busy(busy, ContainerEvent.WARMUP);
            case Prewarmed _ -> throw isNot("cold, or prewarmed with " + launch.command());
            case Warm _, Broken _, Lost _, Closed _ -> throw isNot("cold");
          };
      state = filling.warming();
      return filling;
    }
  }

  /// What runs is to be paused, or its pause ended.
  ///
  /// @throws ApiException when the container is not warm
  Pausing beginPause() {
    synchronized (lock) {
      Pausing pausing =
          switch (state) {
            case Warm warm -> warm.pause();
            case Busy busy -> throw busy(busy, ContainerEvent.FREEZE);
            case Cold _, Prewarmed _, Broken _, Lost _, Closed _ -> throw isNot("warm");
          };
      state = pausing;
      return pausing;
    }
  }

  /// It is paused, or its pause has ended, or neither.
  void endPause(Pausing pausing) {
    synchronized (lock) {
      set(isGone ? pausing.warm().gone(KILLED) : pausing.warm());
    }
  }

  /// The sandbox is to be made anew.
  ///
  /// @throws ApiException when the container is busy or closed
  Resetting beginReset() {
    synchronized (lock) {
      Resetting resetting =
          switch (state) {
            case Cold _, Prewarmed _, Warm _, Broken _, Lost _ -> new Resetting(state);
            case Busy busy -> throw busy(busy, ContainerEvent.RESET);
            case Closed _ ->
                throw new ApiException(ErrorCode.UNAVAILABLE, "the engine is stopping");
          };
      state = resetting;
      return resetting;
    }
  }

  /// Something was put in.
  ///
  /// @throws SandboxException when the sandbox was killed meanwhile
  void filled(ContainerState next) {
    synchronized (lock) {
      if (isGone) {
        throw SandboxException.ofALostOne(KILLED);
      }
      set(next);
    }
  }

  /// There is no sandbox any more, and its end will not be told; the next one is being made.
  void remaking() {
    synchronized (lock) {
      runner = null;
      isGone = false;
    }
  }

  /// Whoever has made it busy moves it on.
  ///
  /// @return what it is now: a sandbox that was killed while it was being made is not cold
  ContainerState move(ContainerState next, String reason) {
    ContainerState after;
    synchronized (lock) {
      after = isGone && next instanceof Cold cold ? new Broken(cold.generation(), KILLED) : next;
      set(after);
    }
    LOG.info(
        "container={} →{} generation={} reason={}",
        id,
        after.wireName(),
        after.generation(),
        reason);
    return after;
  }

  /// However the work ended, by a defect of ours for example, nobody may stay busy without a thread
  /// that is. When it was moved on, the next one may be at work already.
  ///
  /// @param own what the caller made it when the work began
  /// @param otherwise what it is when that was not moved on
  @SuppressWarnings("ReferenceEquality") // This very work's, not that of an equal one.
  void endWork(Busy own, ContainerState otherwise) {
    synchronized (lock) {
      if (state == own) {
        set(otherwise);
      }
    }
  }

  /// The sandbox has ended and nobody asked for it.
  ///
  /// @return the states before and after
  Move gone(String reason) {
    synchronized (lock) {
      ContainerState before = state;
      isGone = true;
      set(
          switch (before) {
            case Cold cold -> new Broken(cold.generation(), reason);
            case Prewarmed prewarmed -> prewarmed.gone(reason);
            case Warm warm -> warm.gone(reason);
            case Busy _, Broken _, Lost _, Closed _ -> before;
          });
      return new Move(before, state);
    }
  }

  /// Whether the sandbox has ended and nobody asked for it, until the next one is being made.
  boolean isGone() {
    synchronized (lock) {
      return isGone;
    }
  }

  /// One move.
  record Move(ContainerState before, ContainerState after) {}

  /// Ends it for good, when nobody works on it any more or the time is over.
  ///
  /// @return the state before
  ContainerState close(Deadline deadline) {
    synchronized (lock) {
      awaitRest(deadline);
      ContainerState before = state;
      state = new Closed(before.generation());
      return before;
    }
  }

  /// Waits until nobody works on it.
  ///
  /// @return what it is then, or at the deadline
  ContainerState awaitRest(Deadline deadline) {
    synchronized (lock) {
      while (state instanceof Busy && !deadline.remaining().isZero()) {
        try {
          lock.wait(Math.max(1, deadline.remaining().toMillis()));
        } catch (InterruptedException _) {
          Thread.currentThread().interrupt();
          return state;
        }
      }
      return state;
    }
  }

  /// From now on the ends of runners are this one's.
  void watch(RunnerWatch watch) {
    synchronized (lock) {
      runner = watch;
    }
  }

  /// Who is told that the runner has ended.
  Optional<RunnerWatch> watched() {
    synchronized (lock) {
      return Optional.ofNullable(runner);
    }
  }

  @GuardedBy("lock")
  private void set(ContainerState next) {
    state = next;
    lock.notifyAll();
  }

  @GuardedBy("lock")
  private ApiException isNot(String expected) {
    String is =
        state instanceof Prewarmed || state instanceof Warm
            ? "is " + state.wireName() + " (expected: " + expected + ")"
            : "not running: " + state.reason();
    return new ApiException(ErrorCode.RESOURCE_CONFLICT, "container " + id + " " + is);
  }

  private ApiException busy(Busy busy, ContainerEvent wanted) {
    return new ApiException(
        ErrorCode.RESOURCE_CONFLICT,
        "container "
            + id
            + " is busy: current event "
            + busy.event().wireName()
            + ", trigger event "
            + wanted.wireName());
  }
}
