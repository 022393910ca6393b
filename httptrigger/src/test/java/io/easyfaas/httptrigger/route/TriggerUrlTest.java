package io.easyfaas.httptrigger.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.wire.ApiException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class TriggerUrlTest {
  private static final String UID = "df391b08c64c426a81645468c75163a5";
  private static final String HELLO =
      "brn:cloud:faas:bj:8f6e5a28c663957ea04522547a66d08f:function:hello";

  @Test
  void meansLatestWithoutAVersion() {
    TriggerUrl url = TriggerUrl.of(List.of(UID, "hello"), "bj");

    assertThat(url.function()).hasToString(HELLO + ":$LATEST");
    assertThat(url.account().id()).isEqualTo(UID);
  }

  @ParameterizedTest
  @CsvSource({"1", "$LATEST", "007"})
  void meansTheVersionThatIsGiven(String version) {
    assertThat(TriggerUrl.of(List.of(UID, "hello", version), "bj").function())
        .hasToString(HELLO + ":" + version);
  }

  @Test
  void usesTheConfiguredRegion() {
    assertThat(TriggerUrl.of(List.of(UID, "hello"), "gz").function().region()).isEqualTo("gz");
  }

  @ParameterizedTest
  @CsvSource({
    "a-b, f, 1, missing userID: \"a-b\"",
    "a:b, f, 1, missing userID: \"a:b\"",
    "u, f.g, 1, invalid function name: \"f.g\"",
    "u, f:1, 1, invalid function name: \"f:1\"",
    "u, f, live, invalid version: \"live\"",
    "u, f, $latest, invalid version: \"$latest\"",
    "u, f, 1234567890123456789, invalid version: \"1234567890123456789\"",
  })
  void namesTheSegmentThatIsWrong(String user, String name, String version, String message) {
    assertThatThrownBy(() -> TriggerUrl.of(List.of(user, name, version), "bj"))
        .isInstanceOf(ApiException.class)
        .hasMessageStartingWith("InvalidRequestException: " + message + " (expected: ");
  }
}
