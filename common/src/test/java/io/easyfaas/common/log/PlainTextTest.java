package io.easyfaas.common.log;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class PlainTextTest {
  @Test
  void textWithoutControlCharactersStaysAsItIs() {
    String text = "call of 函数 “é” 🎉 \\n done";

    assertThat(PlainText.of(text)).isSameAs(text);
    assertThat(PlainText.of("")).isEmpty();
  }

  @Test
  void textStaysInItsLine() {
    assertThat(PlainText.of("a\r\n2026-01-01T00:00:00Z ERROR forged: b\tc"))
        .isEqualTo("a\\r\\n2026-01-01T00:00:00Z ERROR forged: b\\tc");
    assertThat(PlainText.of("\u2028\u2029\u0085\u000b\u000c"))
        .isEqualTo("\\u2028\\u2029\\x85\\x0b\\x0c");
  }

  @Test
  void textDoesNotSpeakToTheTerminal() {
    assertThat(PlainText.of("\u001b[2Jx\u0007\u009b1A\u007f\0"))
        .isEqualTo("\\x1b[2Jx\\x07\\x9b1A\\x7f\\x00");
    assertThat(PlainText.of("\u202eabc\u2066\u061c")).isEqualTo("\\u202eabc\\u2066\\u061c");
  }
}
