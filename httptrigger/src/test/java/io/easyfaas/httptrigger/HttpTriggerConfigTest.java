package io.easyfaas.httptrigger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.config.ConfigException;
import io.easyfaas.common.http.HttpAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class HttpTriggerConfigTest {
  @Test
  void hasDefaults() {
    assertThat(parse())
        .isEqualTo(
            new HttpTriggerConfig(
                new HttpAddress.Tcp("127.0.0.1", 8003),
                new HttpAddress.Tcp("127.0.0.1", 8001),
                "bj",
                Duration.ofSeconds(930),
                ByteSize.ofMebibytes(4)));
  }

  @Test
  void mapsEveryKey() {
    assertThat(
            parse(
                "--port=0",
                "--bind-address=0.0.0.0",
                "--controller-endpoint=unix:///run/c.sock",
                "--region=gz02",
                "--timeout=1s",
                "--max-body-size=1MiB"))
        .isEqualTo(
            new HttpTriggerConfig(
                new HttpAddress.Tcp("0.0.0.0", 0),
                new HttpAddress.Unix(Path.of("/run/c.sock")),
                "gz02",
                Duration.ofSeconds(1),
                ByteSize.ofMebibytes(1)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          --port=x                        | --port: "x" (expected: a whole number from 0 to 65535)
          --controller-endpoint=https://a | --controller-endpoint: address: "https://a" (expected: http://host:port or unix:///path)
          --region=BJ                     | --region: "BJ" (expected: two to five lower-case letters, and digits)
          --timeout=0s                    | --timeout: "0s" (expected: more than 0ms)
          --max-body-size=0B              | --max-body-size: "0B" (expected: more than 0B, at most 4608KiB)
          --max-body-size=5MiB            | --max-body-size: "5MiB" (expected: more than 0B, at most 4608KiB)
          """)
  void namesBadValues(String arg, String message) {
    assertThatThrownBy(() -> parse(arg)).isInstanceOf(ConfigException.class).hasMessage(message);
  }

  private static HttpTriggerConfig parse(String... args) {
    return HttpTriggerConfig.parse(List.of(args), Map.of());
  }
}
