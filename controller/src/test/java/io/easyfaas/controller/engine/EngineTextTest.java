package io.easyfaas.controller.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Durations as logs have them, and how they are counted.
class EngineTextTest {
  @ParameterizedTest
  @CsvSource({
    "0, 0s",
    "1, 1ms",
    "999, 999ms",
    "1000, 1s",
    "1234, 1.234s",
    "1500, 1.5s",
    "60000, 1m0s",
    "90500, 1m30.5s",
    "3600000, 1h0m0s",
    "3723004, 1h2m3.004s"
  })
  void durationsAreWrittenAsGoDoes(long millis, String text) {
    assertThat(GoDuration.ofMillis(millis)).isEqualTo(text);
  }

  @ParameterizedTest
  @CsvSource({"0, 0", "1, 100", "100, 100", "101, 200"})
  void billedTimeIsRoundedUp(long millis, long billed) {
    assertThat(GoDuration.billedMillis(millis)).isEqualTo(billed);
  }

  @Test
  void histogramCountsUpToAndIncludingABound() {
    Histogram histogram = new Histogram(1, 10);
    histogram.record(1_000);
    histogram.record(1_001);
    histogram.record(11_000);

    Histogram.Snapshot snapshot = histogram.snapshot();
    assertThat(snapshot.counts()).containsExactly(1, 1, 1);
    assertThat(snapshot.sum()).isEqualTo(13.001);
  }
}
