package io.easyfaas.controller.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class CallTimesTest {
  private final CallTimes times = new CallTimes(new InvokeMetrics(), 1);

  @Test
  void aCallThatGoesElsewhereHasNotRun() {
    times.resolved(true, 2);
    times.asksForSlot();
    times.dispatched(3);
    assertThat(times.runNanos(5)).isEqualTo(2);

    times.asksForSlot(); // The runner had ended.

    assertThat(times.runNanos(5)).isZero();
    assertThat(times.executionNanos(5)).isEqualTo(-1);
  }
}
