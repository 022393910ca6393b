package io.easyfaas.controller.pool;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.function.RuntimeConfiguration;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ReserveTest {
  private static final RuntimeConfiguration NODE = runtime("nodejs");
  private static final RuntimeConfiguration PYTHON = runtime("python3");

  private final Reserve reserve = new Reserve(4);
  private long now = -5_000_000_000L; // A clock may be negative, see System.nanoTime.

  @Test
  void aLanguageNobodyWantedGetsNone() {
    assertThat(reserve.missing(Map.of(), now)).isEmpty();
    assertThat(reserve.isSurplus(NODE, 1, now)).isTrue();
  }

  @Test
  void aLanguageThatWasWantedGetsOneForTenMinutes() {
    reserve.wanted(NODE, now);

    pass(Duration.ofMinutes(10).minusNanos(1));
    assertThat(reserve.missing(Map.of(), now)).contains(NODE);
    assertThat(reserve.missing(Map.of(NODE, 1), now)).isEmpty();
    assertThat(reserve.isSurplus(NODE, 1, now)).isFalse();

    pass(Duration.ofNanos(1));
    assertThat(reserve.missing(Map.of(), now)).isEmpty();
    assertThat(reserve.isSurplus(NODE, 1, now)).isTrue();
  }

  @Test
  void aBurstIsPreparedForDuringTheNextMinute() {
    for (int i = 0; i < 3; i++) {
      reserve.wanted(NODE, now);
    }
    pass(Duration.ofSeconds(59));
    assertThat(reserve.missing(Map.of(NODE, 2), now)).contains(NODE);
    assertThat(reserve.missing(Map.of(NODE, 3), now)).isEmpty();

    pass(Duration.ofSeconds(1));
    assertThat(reserve.missing(Map.of(NODE, 1), now)).isEmpty();
    assertThat(reserve.isSurplus(NODE, 2, now)).isTrue();
  }

  @Test
  void startsOfDifferentSecondsAreNoBurst() {
    for (int i = 0; i < 100; i++) {
      reserve.wanted(NODE, now);
      pass(Duration.ofSeconds(1));
    }
    assertThat(reserve.missing(Map.of(NODE, 1), now)).isEmpty();
  }

  @Test
  void everyLanguageGetsOneBeforeAnyGetsTwo() {
    for (int i = 0; i < 9; i++) {
      reserve.wanted(NODE, now);
    }
    pass(Duration.ofSeconds(1));
    reserve.wanted(PYTHON, now);

    assertThat(reserve.missing(Map.of(NODE, 1), now)).contains(PYTHON);
    assertThat(reserve.missing(Map.of(NODE, 2, PYTHON, 1), now)).contains(NODE);
    assertThat(reserve.missing(Map.of(NODE, 3, PYTHON, 1), now)).isEmpty();
    assertThat(reserve.isSurplus(NODE, 4, now)).isTrue();
  }

  @Test
  void whenThereIsNotOneForEachTheLatestWantedGetsIt() {
    Reserve small = new Reserve(1);
    small.wanted(NODE, now);
    pass(Duration.ofSeconds(1));
    small.wanted(PYTHON, now);

    assertThat(small.missing(Map.of(), now)).contains(PYTHON);
    assertThat(small.isSurplus(NODE, 1, now)).isTrue();
  }

  @Test
  void aLanguageThatDoesNotStartIsLetAloneForAMinute() {
    reserve.wanted(NODE, now);
    reserve.wanted(PYTHON, now);
    reserve.failed(NODE, now);

    assertThat(reserve.missing(Map.of(PYTHON, 1), now)).isEmpty();
    pass(Duration.ofMinutes(1));
    assertThat(reserve.missing(Map.of(PYTHON, 1), now)).contains(NODE);
  }

  @Test
  void noReserveIsNone() {
    Reserve none = new Reserve(0);
    none.wanted(NODE, now);

    assertThat(none.missing(Map.of(), now)).isEmpty();
  }

  private void pass(Duration time) {
    now += time.toNanos();
  }

  private static RuntimeConfiguration runtime(String name) {
    return new RuntimeConfiguration(name, "/bin/" + name, "/opt", List.of(), List.of());
  }
}
