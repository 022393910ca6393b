package io.easyfaas.controller.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.embedded.EmbeddedChannel;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PrintBudgetTest {
  private final EmbeddedChannel channel = new EmbeddedChannel();
  private long now;
  private final PrintBudget budget = new PrintBudget(channel.eventLoop(), () -> now);

  @BeforeEach
  void freeze() {
    channel.freezeTime();
    budget.add(on -> channel.config().setAutoRead(on));
  }

  @AfterEach
  void close() {
    channel.finishAndReleaseAll();
  }

  @Test
  void whoPrintsWithinTheBudgetIsRead() {
    budget.spend(PrintBudget.WINDOW_BYTES);

    assertThat(channel.config().isAutoRead()).isTrue();
  }

  @Test
  void whoPrintsTooMuchIsNotReadForTheRestOfTheWindow() {
    now += PrintBudget.WINDOW_NANOS / 4;
    budget.spend(PrintBudget.WINDOW_BYTES + 1);
    assertThat(channel.config().isAutoRead()).isFalse();

    channel.advanceTimeBy(PrintBudget.WINDOW_NANOS * 3 / 4 - 1, TimeUnit.NANOSECONDS);
    channel.runScheduledPendingTasks();
    assertThat(channel.config().isAutoRead()).isFalse();
    channel.advanceTimeBy(1, TimeUnit.NANOSECONDS);
    channel.runScheduledPendingTasks();

    assertThat(channel.config().isAutoRead()).isTrue();
  }

  @Test
  void newWindowIsANewBudget() {
    budget.spend(PrintBudget.WINDOW_BYTES);
    now += PrintBudget.WINDOW_NANOS;

    budget.spend(PrintBudget.WINDOW_BYTES);

    assertThat(channel.config().isAutoRead()).isTrue();
  }
}
