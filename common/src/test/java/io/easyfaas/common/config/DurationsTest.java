package io.easyfaas.common.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class DurationsTest {
  @ParameterizedTest
  @CsvSource({
    "0s, 0, 0s",
    "300ms, 300, 300ms",
    "2000ms, 2000, 2s",
    "2s, 2000, 2s",
    "5m, 300000, 300s",
    "1h, 3600000, 3600s",
  })
  void areReadAndWritten(String text, long millis, String written) {
    assertThat(Durations.parse(text)).isEqualTo(Duration.ofMillis(millis));
    assertThat(Durations.text(Duration.ofMillis(millis))).isEqualTo(written);
  }

  @Test
  void withoutAUnitAreRefused() {
    assertThatThrownBy(() -> Durations.parse("5"))
        .isInstanceOf(ConfigException.class)
        .hasMessage("duration: \"5\" (expected: a number and a unit: ms, s, m or h)");
  }
}
