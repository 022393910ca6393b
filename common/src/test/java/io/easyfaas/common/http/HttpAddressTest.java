package io.easyfaas.common.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class HttpAddressTest {
  @ParameterizedTest
  @CsvSource({
    "http://127.0.0.1:8001, 127.0.0.1, 8001",
    "http://127.0.0.1:8001/, 127.0.0.1, 8001",
    "127.0.0.1:8001, 127.0.0.1, 8001",
    "http://registry, registry, 80",
    "http://[::1]:8001, ::1, 8001",
  })
  void readsTcpAddresses(String text, String host, int port) {
    assertThat(HttpAddress.parse(text)).isEqualTo(new HttpAddress.Tcp(host, port));
  }

  @Test
  void writesIpv6InBrackets() {
    assertThat(new HttpAddress.Tcp("::1", 0).withPort(8001)).hasToString("http://[::1]:8001");
  }

  @Test
  void readsSocketPaths() {
    assertThat(HttpAddress.parse("unix:///run/api.sock"))
        .isEqualTo(new HttpAddress.Unix(Path.of("/run/api.sock")))
        .hasToString("unix:///run/api.sock");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "http://",
        "https://a:1",
        "a:0",
        "a:65536",
        "a:b",
        ":80",
        "http://a:80/path",
        "unix://x",
        "unix://",
        "unix:///a\0b"
      })
  void refusesOtherTexts(String text) {
    assertThatThrownBy(() -> HttpAddress.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("address: \"" + text + "\" (expected: http://host:port or unix:///path)");
  }
}
