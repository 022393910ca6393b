package io.easyfaas.controller.pool;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.function.RuntimeConfiguration;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class StandbyTest {
  private static final RuntimeConfiguration NODE = runtime("nodejs");
  private static final RuntimeConfiguration PYTHON = runtime("python3");

  private final Standby standby = new Standby(4);
  private long now = -5_000_000_000L; // A clock may be negative, see System.nanoTime.

  @Test
  void aLanguageNobodyWantedGetsNone() {
    assertThat(standby.missing(Map.of(), now)).isEmpty();
    assertThat(standby.isSurplus(NODE, 1, now)).isTrue();
  }

  @Test
  void aLanguageThatWasWantedGetsOneForTenMinutes() {
    standby.wanted(NODE, now);

    pass(Duration.ofMinutes(10).minusNanos(1));
    assertThat(standby.missing(Map.of(), now)).contains(NODE);
    assertThat(standby.missing(Map.of(NODE, 1), now)).isEmpty();
    assertThat(standby.isSurplus(NODE, 1, now)).isFalse();

    pass(Duration.ofNanos(1));
    assertThat(standby.missing(Map.of(), now)).isEmpty();
    assertThat(standby.isSurplus(NODE, 1, now)).isTrue();
  }

  @Test
  void aBurstIsPreparedForDuringTheNextMinute() {
    for (int i = 0; i < 3; i++) {
      standby.wanted(NODE, now);
    }
    pass(Duration.ofSeconds(59));
    assertThat(standby.missing(Map.of(NODE, 2), now)).contains(NODE);
    assertThat(standby.missing(Map.of(NODE, 3), now)).isEmpty();

    pass(Duration.ofSeconds(1));
    assertThat(standby.missing(Map.of(NODE, 1), now)).isEmpty();
    assertThat(standby.isSurplus(NODE, 2, now)).isTrue();
  }

  @Test
  void startsOfDifferentSecondsAreNoBurst() {
    for (int i = 0; i < 100; i++) {
      standby.wanted(NODE, now);
      pass(Duration.ofSeconds(1));
    }
    assertThat(standby.missing(Map.of(NODE, 1), now)).isEmpty();
  }

  @Test
  void everyLanguageGetsOneBeforeAnyGetsTwo() {
    for (int i = 0; i < 9; i++) {
      standby.wanted(NODE, now);
    }
    pass(Duration.ofSeconds(1));
    standby.wanted(PYTHON, now);

    assertThat(standby.missing(Map.of(NODE, 1), now)).contains(PYTHON);
    assertThat(standby.missing(Map.of(NODE, 2, PYTHON, 1), now)).contains(NODE);
    assertThat(standby.missing(Map.of(NODE, 3, PYTHON, 1), now)).isEmpty();
    assertThat(standby.isSurplus(NODE, 4, now)).isTrue();
  }

  @Test
  void whenThereIsNotOneForEachTheLatestWantedGetsIt() {
    Standby small = new Standby(1);
    small.wanted(NODE, now);
    pass(Duration.ofSeconds(1));
    small.wanted(PYTHON, now);

    assertThat(small.missing(Map.of(), now)).contains(PYTHON);
    assertThat(small.isSurplus(NODE, 1, now)).isTrue();
  }

  @Test
  void aLanguageThatDoesNotStartIsLetAloneForAMinute() {
    standby.wanted(NODE, now);
    standby.wanted(PYTHON, now);
    standby.failed(NODE, now);

    assertThat(standby.missing(Map.of(PYTHON, 1), now)).isEmpty();
    pass(Duration.ofMinutes(1));
    assertThat(standby.missing(Map.of(PYTHON, 1), now)).contains(NODE);
  }

  @Test
  void noStandbyIsNone() {
    Standby none = new Standby(0);
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
