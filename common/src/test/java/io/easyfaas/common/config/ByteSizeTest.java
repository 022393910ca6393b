package io.easyfaas.common.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ByteSizeTest {
  @ParameterizedTest
  @CsvSource({
    "0B, 0",
    "4096B, 4096",
    "1K, 1024",
    "1k, 1024",
    "2KB, 2048",
    "2KiB, 2048",
    "128M, 134217728",
    "' 128MiB ', 134217728",
    "1g, 1073741824",
    "1TiB, 1099511627776",
  })
  void readsNumbersWithAUnit(String text, long bytes) {
    assertThat(ByteSize.parse(text)).isEqualTo(new ByteSize(bytes));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "128", "M", "-1M", "1.5M", "1MM", "1BiB", "1 M", "12345678901234567B"})
  void refusesOtherTexts(String text) {
    assertThatThrownBy(() -> ByteSize.parse(text))
        .isInstanceOf(ConfigException.class)
        .hasMessage("size: \"" + text + "\" (expected: a number and a unit, for example 128MiB)");
  }

  @Test
  void refusesMoreThanALongHolds() {
    assertThatThrownBy(() -> ByteSize.parse("99999999T"))
        .isInstanceOf(ConfigException.class)
        .hasMessage("size: \"99999999T\" (expected: less than 8EiB)");
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0B",
    "1023, 1023B",
    "1024, 1KiB",
    "1536, 1536B",
    "134217728, 128MiB",
    "1125899906842624, 1024TiB",
  })
  void writesTheLargestUnitThatDivides(long bytes, String text) {
    assertThat(new ByteSize(bytes)).hasToString(text);
    assertThat(ByteSize.parse(text)).isEqualTo(new ByteSize(bytes));
  }

  @Test
  void isNeverNegative() {
    assertThatThrownBy(() -> ByteSize.ofMebibytes(1).minus(ByteSize.ofMebibytes(2)))
        .hasMessage("bytes: -1048576 (expected: >= 0)");
  }

  @Test
  void addsAndComparesWithoutOverflow() {
    assertThat(ByteSize.ofMebibytes(1).plus(ByteSize.ofMebibytes(2)).mebibytes()).isEqualTo(3);
    assertThat(ByteSize.ofMebibytes(1)).isLessThan(ByteSize.ofMebibytes(2));
    assertThatThrownBy(() -> new ByteSize(Long.MAX_VALUE).plus(new ByteSize(1)))
        .isInstanceOf(ArithmeticException.class);
  }
}
