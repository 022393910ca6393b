package io.easyfaas.controller.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.embedded.EmbeddedChannel;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PrintBudgetTest {
  private final EmbeddedChannel channel = new EmbeddedChannel();
  private final PrintShare share = new PrintShare();
  private long now;
  private final PrintBudget budget = new PrintBudget(channel.eventLoop(), () -> now, share);

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

  @Test
  void whoseOutputTakesTooMuchOfTheLoopIsNotReadForTheRestOfTheWindow() {
    take(PrintShare.TOTAL_NANOS);
    assertThat(channel.config().isAutoRead()).isTrue();

    take(1);

    assertThat(channel.config().isAutoRead()).isFalse();
    channel.advanceTimeBy(PrintBudget.WINDOW_NANOS - PrintShare.TOTAL_NANOS, TimeUnit.NANOSECONDS);
    channel.runScheduledPendingTasks();
    assertThat(channel.config().isAutoRead()).isTrue();
  }

  @Test
  void manyWhoPrintHaveTheShareOfOneTogether() {
    for (int i = 0; i < 4; i++) {
      new PrintBudget(channel.eventLoop(), () -> now, share).spend(1);
    }
    budget.spend(1);
    take(PrintShare.TOTAL_NANOS / 5);
    assertThat(channel.config().isAutoRead()).isTrue();

    take(1);

    assertThat(channel.config().isAutoRead()).isFalse();
  }

  @Test
  void aLoopThatHadToWaitIsNobodysDoing() {
    long since = budget.now();
    now += PrintBudget.WINDOW_NANOS - 1;

    budget.tookSince(since);

    assertThat(channel.config().isAutoRead()).isTrue();
  }

  @Test
  void whoGoesOnAfterAPauseIsOneOfThoseThatPrint() {
    take(PrintShare.TOTAL_NANOS + 1);
    now += PrintBudget.WINDOW_NANOS;
    channel.advanceTimeBy(PrintBudget.WINDOW_NANOS, TimeUnit.NANOSECONDS);
    channel.runScheduledPendingTasks();
    assertThat(channel.config().isAutoRead()).isTrue();

    take(PrintShare.TOTAL_NANOS);

    assertThat(channel.config().isAutoRead()).as("it is one, not two").isTrue();
  }

  /// Handles output for so long, in steps of a millisecond at most.
  private void take(long nanos) {
    for (long left = nanos; left > 0; ) {
      long step = Math.min(left, TimeUnit.MILLISECONDS.toNanos(1));
      long since = budget.now();
      now += step;
      left -= step;
      budget.tookSince(since);
    }
  }
}
