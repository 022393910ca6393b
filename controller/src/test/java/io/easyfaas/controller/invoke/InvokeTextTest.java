package io.easyfaas.controller.invoke;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.security.SecureRandom;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The small texts of the invoke path: request lines, ids, durations.
class InvokeTextTest {
  @Test
  void requestLineIsTakenApart() {
    assertThat(
            InvokeTarget.parse(
                "/v1/functions/f/invocations?a=b&Qualifier=%24LATEST&logType=Tail&logToBody=true"))
        .hasValue(new InvokeTarget("f", "$LATEST", "Tail", "true"));
  }

  @Test
  void lastOfSeveralValuesWins() {
    assertThat(InvokeTarget.parse("/v1/functions/f/invocations?Qualifier=1&&Qualifier=2&x"))
        .hasValue(new InvokeTarget("f", "2", "", ""));
  }

  @Test
  void plusIsASpaceInTheQueryOnly() {
    assertThat(InvokeTarget.parse("/v1/functions/a+%41/invocations?Qualifier=a+b"))
        .hasValue(new InvokeTarget("a+A", "a b", "", ""));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/v1/functions//invocations",
        "/v1/functions/a/b/invocations",
        "/v1/functions/f/invocations/",
        "/v1/functions/f",
        "/v2/functions/f/invocations",
        "/v1/functions/%z/invocations",
        "/",
        ""
      })
  void otherRequestLinesAreNotInvocations(String uri) {
    assertThat(InvokeTarget.parse(uri)).isEqualTo(Optional.empty());
  }

  @Test
  void newRequestIdsAreDistinctUuidsOfVersion4() {
    RequestIds ids = new RequestIds(new SecureRandom());
    Set<String> seen = new HashSet<>();
    for (int i = 0; i < 10_000; i++) {
      String id = new String(ids.next(), US_ASCII);
      UUID uuid = UUID.fromString(id);
      assertThat(uuid.version()).isEqualTo(4);
      assertThat(uuid.variant()).isEqualTo(2);
      assertThat(uuid).hasToString(id);
      seen.add(id);
    }

    assertThat(seen).hasSize(10_000);
  }

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
