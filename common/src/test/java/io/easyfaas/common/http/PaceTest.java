package io.easyfaas.common.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

final class PaceTest {
  private static final int FAST = 64 * 1024;

  private final Pace pace = new Pace(Duration.ofSeconds(10), Duration.ofMillis(2500), 0);

  @Test
  void isLookedAtOncePerShortWindow() {
    assertThat(pace.millis()).isEqualTo(2500);
    assertThat(new Pace(Duration.ofSeconds(1), Duration.ofSeconds(5), 0).millis()).isEqualTo(1000);
  }

  @Test
  void aKibibyteASecondIsEnoughWhileNobodyWaits() {
    pace.start(0);

    assertThat(pace.slowness(0, false)).isNull();
    assertThat(pace.slowness(0, false)).isNull();
    assertThat(pace.slowness(0, false)).isNull();
    assertThat(pace.slowness(10 * 1024, false)).isNull();
  }

  @Test
  void lessIsTooSlowInEveryWindow() {
    pace.start(0);
    for (int i = 0; i < 4; i++) {
      assertThat(pace.slowness(1 << 20, false)).isNull();
    }

    for (int i = 0; i < 3; i++) {
      assertThat(pace.slowness((1 << 20) + 10_239, false)).isNull();
    }
    assertThat(pace.slowness((1 << 20) + 10_239, false))
        .isEqualTo("10239 bytes in 10s (expected: at least 10240)");
  }

  @Test
  void whileOthersWaitTheFirstShortWindowTells() {
    pace.start(0);

    assertThat(pace.slowness(FAST * 5 / 2, true)).isNull();
    assertThat(pace.slowness(FAST * 5 / 2 + 100_000, true))
        .isEqualTo("100000 bytes in 2500ms (expected: at least 163840)");
  }

  /// As curl does: 64 KiB at a time, of which one or two fall into a window of 1.25 s.
  @Test
  void whoIsFastEnoughMaySendInSteps() {
    Pace upload = upload();

    for (int look = 1; look <= 100; look++) {
      long steps = look * 1250L * 100_000 / 1000 / FAST;
      assertThat(upload.slowness(steps * FAST, true)).isNull();
    }
  }

  @Test
  void whoSendsNothingIsFoundAtOnceInSpiteOfSteps() {
    assertThat(upload().slowness(0, true))
        .isEqualTo("0 bytes in 1250ms (expected: at least 81920)");
  }

  @Test
  void whoIsTooSlowDoesNotRecoverWhileNobodyWaits() {
    Pace upload = upload();
    String found = null;
    long total = 0;
    for (int look = 1; look <= 100 && found == null; look++) {
      total += 75_000;
      found = upload.slowness(total, look % 5 != 0);
    }

    assertThat(found).isEqualTo("75000 bytes in 1250ms (expected: at least 81920)");
  }

  @Test
  void whatWasNotTheClientsDoingIsLeftOutAndItsLatenessIsNot() {
    Pace upload = upload();
    assertThat(upload.slowness(FAST, true)).isNull(); // 16 KiB late.

    upload.goOn(FAST);

    assertThat(upload.slowness(FAST + 30_000, true))
        .isEqualTo("30000 bytes in 1250ms (expected: at least 81920)");
  }

  @Test
  void whatWasGainedWhileItWasLeftOutCounts() {
    Pace upload = upload();
    long total = 0;
    for (int look = 0; look < 100; look++) {
      total += 2 * FAST;
      upload.goOn(total);
      total += FAST;
      assertThat(upload.slowness(total, true)).isNull();
    }
  }

  @Test
  void whoWasFastBeforeMayNotRestLater() {
    Pace upload = upload();

    assertThat(upload.slowness(100L << 20, true)).isNull();
    assertThat(upload.slowness(100L << 20, true)).isNotNull();
  }

  private static Pace upload() {
    Pace upload = new Pace(Duration.ofSeconds(10), Duration.ofMillis(1250), FAST);
    upload.start(0);
    return upload;
  }
}
