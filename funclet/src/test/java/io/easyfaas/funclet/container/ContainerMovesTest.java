package io.easyfaas.funclet.container;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.funclet.container.ContainerState.Broken;
import io.easyfaas.funclet.container.ContainerState.Cold;
import io.easyfaas.funclet.container.ContainerState.Resetting;
import org.junit.jupiter.api.Test;

/// Whose the state is while two work on a container one after the other.
final class ContainerMovesTest {
  private final ContainerMoves moves = new ContainerMoves(ContainerId.of("pod", 0));

  @Test
  void whoHasMovedItOnLeavesTheNextOneAlone() {
    moves.move(new Cold(1, 7), "test");
    Resetting resetting = moves.beginReset();
    moves.move(new Cold(2, 8), "test");
    Filling filling = moves.beginPrewarm();

    moves.endWork(resetting, resetting.before().lost("a defect"));

    assertThat(moves.now()).isSameAs(filling.warming());
  }

  @Test
  void whoHasNotMovedItOnLeavesNobodyBusy() {
    moves.move(new Cold(1, 7), "test");
    Resetting resetting = moves.beginReset();

    moves.endWork(resetting, resetting.before().lost("a defect"));

    assertThat(moves.now()).isEqualTo(new Broken(1, "a defect"));
  }
}
