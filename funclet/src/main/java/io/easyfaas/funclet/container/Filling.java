package io.easyfaas.funclet.container;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.funclet.container.ContainerState.Cold;
import io.easyfaas.funclet.container.ContainerState.Lost;
import io.easyfaas.funclet.container.ContainerState.Prewarmed;
import io.easyfaas.funclet.container.ContainerState.WarmingUp;
import org.jspecify.annotations.Nullable;

/// What is being put into a container, and how far that has got. Not thread-safe; owned by the
/// thread that keeps the container busy.
final class Filling {
  private final WarmingUp warming;
  private final Holdings holdings;
  private final @Nullable Tenant runner;
  private boolean isTouched;

  /// Nothing is there yet.
  Filling(Cold cold) {
    warming = cold.warmUp();
    holdings = new Holdings();
    runner = null;
  }

  /// The runner is there.
  Filling(Prewarmed prewarmed) {
    warming = prewarmed.warmUp();
    runner = prewarmed.tenant();
    holdings = prewarmed.tenant().holdings();
    isTouched = true;
  }

  WarmingUp warming() {
    return warming;
  }

  /// What is given back when it is undone, or when what was put in ends.
  Holdings holdings() {
    return holdings;
  }

  /// The prewarmed runner, which runs already; null when there was none.
  @Nullable Tenant runner() {
    return runner;
  }

  /// What is left when it cannot be undone: what it holds is given back with the next sandbox.
  ///
  /// @param reason for people
  Lost lost(String reason) {
    Tenant remains = new Tenant("", ByteSize.ZERO, 0, new RunnerWatch(() -> 0), holdings);
    return new Lost(warming.generation(), remains, reason);
  }

  /// From now on only a new sandbox undoes it.
  void touch() {
    isTouched = true;
  }

  boolean isTouched() {
    return isTouched;
  }
}
