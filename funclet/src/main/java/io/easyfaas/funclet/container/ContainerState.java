package io.easyfaas.funclet.container;

import java.util.Optional;

/// What a container is doing. Immutable; the only writer is {@link ContainerMoves}.
///
/// | from | move | to | who |
/// | --- | --- | --- | --- |
/// | Initialising | created | Cold | start |
/// | Initialising | failed | Broken | start |
/// | Cold, Prewarmed | warmUp | WarmingUp | prewarm (from Cold only) or warmup request |
/// | WarmingUp | waits | Prewarmed | prewarm request, within 10 s |
/// | WarmingUp | started | Warm | warmup request, within what its code may take |
/// | WarmingUp | failed | Cold, Broken when the sandbox could not be made anew, or Lost when it could not be killed | same |
/// | Warm | pause | Pausing | freeze or thaw request |
/// | Pausing | paused | Warm | same, within 2 s |
/// | Cold, Prewarmed, Warm, Broken, Lost | reset | Resetting | cooldown or reborn request, repair |
/// | Resetting | created | Cold | same, within 30 s |
/// | Resetting | failed | Broken, or Lost when processes could not be killed | same |
/// | Cold | gone | Broken | launcher event |
/// | Prewarmed, Warm | gone | Lost | launcher event |
/// | any | close | Closed | end of the engine |
///
/// `Initialising`, `WarmingUp`, `Pausing` and `Resetting` are busy: one thread owns the container
/// until it moves it on, and every other request is refused. `Broken` and `Lost` wait for a reborn
/// request.
sealed interface ContainerState {
  /// States in which one thread owns the container.
  sealed interface Busy extends ContainerState permits Initialising, WarmingUp, Pausing, Resetting {
    /// What that thread does.
    ContainerEvent event();
  }

  /// Has never had a sandbox.
  record Initialising() implements Busy {
    @Override
    public ContainerEvent event() {
      return ContainerEvent.INIT;
    }

    @Override
    public long generation() {
      return 0;
    }
  }

  /// Has a fresh sandbox that nobody has used.
  ///
  /// @param generation counts the sandboxes this container has had, from 1
  /// @param initPid pid 1 of the sandbox, seen from the host
  record Cold(long generation, long initPid) implements ContainerState {
    WarmingUp warmUp() {
      return new WarmingUp(generation, initPid);
    }
  }

  /// Has a runner that waits for a function.
  ///
  /// @param launch how the runner was started
  /// @param tenant the runner and what it holds; no function yet
  record Prewarmed(long generation, long initPid, RunnerLaunch launch, Tenant tenant)
      implements ContainerState {
    WarmingUp warmUp() {
      return new WarmingUp(generation, initPid);
    }

    Lost gone(String reason) {
      return new Lost(generation, tenant, reason);
    }
  }

  /// A runner or a function is being put into it.
  record WarmingUp(long generation, long initPid) implements Busy {
    @Override
    public ContainerEvent event() {
      return ContainerEvent.WARMUP;
    }

    Prewarmed waits(RunnerLaunch launch, Tenant tenant) {
      return new Prewarmed(generation, initPid, launch, tenant);
    }

    Warm started(Tenant tenant) {
      return new Warm(generation, initPid, tenant);
    }
  }

  /// A function's runner was started in it.
  record Warm(long generation, long initPid, Tenant tenant) implements ContainerState {
    Pausing pause() {
      return new Pausing(this);
    }

    Lost gone(String reason) {
      return new Lost(generation, tenant, reason);
    }
  }

  /// It is being frozen or thawed.
  record Pausing(Warm warm) implements Busy {
    @Override
    public ContainerEvent event() {
      return ContainerEvent.FREEZE;
    }

    @Override
    public long generation() {
      return warm.generation();
    }
  }

  /// Its sandbox is being destroyed and made anew.
  ///
  /// @param before what it was
  record Resetting(ContainerState before) implements Busy {
    @Override
    public ContainerEvent event() {
      return ContainerEvent.RESET;
    }

    @Override
    public long generation() {
      return before.generation();
    }
  }

  /// Has no sandbox, because it could not be made or was killed from outside.
  ///
  /// @param reason for people
  record Broken(long generation, String reason) implements ContainerState {}

  /// Its sandbox is dead or cannot be killed, and what its function holds is not given back yet.
  record Lost(long generation, Tenant tenant, String reason) implements ContainerState {}

  /// The engine has ended it.
  record Closed(long generation) implements ContainerState {}

  /// Counts the sandboxes this container has had, from 1; 0 before the first.
  long generation();

  /// `cold`, `prewarmed`, `warm` or `broken`.
  default String wireName() {
    return switch (this) {
      case Initialising _, Cold _, WarmingUp _ -> "cold";
      case Prewarmed _ -> "prewarmed";
      case Warm _, Pausing _ -> "warm";
      case Resetting resetting -> resetting.before().wireName();
      case Broken _, Lost _, Closed _ -> "broken";
    };
  }

  /// Pid 1 of the sandbox, seen from the host; 0 when there is none.
  default long hostPid() {
    return switch (this) {
      case Cold cold -> cold.initPid();
      case WarmingUp warming -> warming.initPid();
      case Prewarmed prewarmed -> prewarmed.initPid();
      case Warm warm -> warm.initPid();
      case Pausing pausing -> pausing.warm().initPid();
      case Resetting resetting -> resetting.before().hostPid();
      case Initialising _, Broken _, Lost _, Closed _ -> 0;
    };
  }

  /// Why it is broken; empty when it is not.
  default String reason() {
    return switch (this) {
      case Broken broken -> broken.reason();
      case Lost lost -> lost.reason();
      case Closed _ -> "the engine has ended";
      case Initialising _, Cold _, Prewarmed _, WarmingUp _, Warm _, Pausing _, Resetting _ -> "";
    };
  }

  /// What runs in it, or has something that is not given back yet.
  default Optional<Tenant> occupant() {
    return switch (this) {
      case Prewarmed prewarmed -> Optional.of(prewarmed.tenant());
      case Warm warm -> Optional.of(warm.tenant());
      case Pausing pausing -> Optional.of(pausing.warm().tenant());
      case Lost lost -> Optional.of(lost.tenant());
      case Initialising _, Cold _, WarmingUp _, Resetting _, Broken _, Closed _ -> Optional.empty();
    };
  }

  /// What it is when nobody knows what became of its sandbox.
  default ContainerState lost(String reason) {
    return occupant()
        .<ContainerState>map(tenant -> new Lost(generation(), tenant, reason))
        .orElseGet(() -> new Broken(generation(), reason));
  }
}
