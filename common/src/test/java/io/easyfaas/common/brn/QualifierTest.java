package io.easyfaas.common.brn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class QualifierTest {
  @ParameterizedTest
  @ValueSource(strings = {"$LATEST", "0", "1", "007", "999999999999999999"})
  void readsVersions(String text) {
    assertThat(Qualifier.parse(text)).isEqualTo(new Qualifier.Version(text));
  }

  @ParameterizedTest
  @ValueSource(strings = {"live", "1a", "a-b_c", "-", "LATEST"})
  void readsAliases(String text) {
    assertThat(Qualifier.parse(text)).isEqualTo(new Qualifier.Alias(text));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "$latest", "a.b", "a b", "../1", "1/2", "é", "9999999999999999999"})
  void refusesAnythingElse(String text) {
    assertThatThrownBy(() -> Qualifier.parse(text))
        .isInstanceOf(InvalidBrnException.class)
        .hasMessageContaining("\"" + text + "\"");
  }

  @Test
  void onlyLatestMayChangeUnderItsName() {
    assertThat(new Qualifier.Version("$LATEST").isLatest()).isTrue();
    assertThat(new Qualifier.Version("1").isLatest()).isFalse();
  }

  @Test
  void anAliasIsNotDigitsAlone() {
    assertThatThrownBy(() -> new Qualifier.Alias("12")).isInstanceOf(InvalidBrnException.class);
  }
}
