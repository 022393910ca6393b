package io.easyfaas.stubs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.config.ConfigException;
import io.easyfaas.common.disk.DiskUse;
import io.easyfaas.common.http.HttpAddress;
import io.easyfaas.stubs.registry.UploadLimits;
import io.easyfaas.stubs.store.StoreLimits;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class StubsConfigTest {
  @Test
  void hasDefaults() {
    assertThat(parse())
        .isEqualTo(
            new StubsConfig(
                new HttpAddress.Tcp("127.0.0.1", 8002),
                Path.of("/var/faas/functions"),
                Path.of("/var/faas/runtimes"),
                new UploadLimits(ByteSize.ofMebibytes(50), 16, ByteSize.parse("4GiB")),
                new StoreLimits(new DiskUse(16L << 30, 200_000), new DiskUse(4L << 30, 50_000))));
  }

  @Test
  void mapsEveryKey() {
    assertThat(
            parse(
                "--port=0",
                "--bind-address=::1",
                "--data-dir=/data",
                "--function-dir=/functions",
                "--max-code-size=1MiB",
                "--max-uploads=2",
                "--max-upload-space=3MiB",
                "--functions-size=12KiB",
                "--functions-inodes=3",
                "--functions-account-size=1MiB",
                "--functions-account-inodes=5"))
        .isEqualTo(
            new StubsConfig(
                new HttpAddress.Tcp("::1", 0),
                Path.of("/functions"),
                Path.of("/data/runtimes"),
                new UploadLimits(ByteSize.ofMebibytes(1), 2, ByteSize.ofMebibytes(3)),
                new StoreLimits(new DiskUse(12 * 1024, 3), new DiskUse(1024 * 1024, 5))));
    assertThat(parse("--data-dir=/data").functionDirectory()).isEqualTo(Path.of("/data/functions"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          --port=70000         | --port: "70000" (expected: a whole number from 0 to 65535)
          --data-dir=          | --data-dir: "" (expected: a path)
          --max-code-size=0B   | --max-code-size: "0B" (expected: more than 0B, at most 512MiB)
          --functions-size=1B  | --functions-size: "1B" (expected: at least 12KiB)
          --functions-inodes=2 | --functions-inodes: "2" (expected: a whole number from 3 to 2147483647)
          --functions-account-size=0B  | --functions-account-size: "0B" (expected: at least 12KiB)
          --functions-account-inodes=1 | --functions-account-inodes: "1" (expected: a whole number from 3 to 2147483647)
          --max-uploads=0      | --max-uploads: "0" (expected: a whole number from 1 to 1000)
          --max-upload-space=49MiB | --max-upload-space: "49MiB" (expected: at least --max-code-size, 50MiB)
          --max-code-size=1GiB | --max-code-size: "1GiB" (expected: more than 0B, at most 512MiB)
          """)
  void namesBadValues(String arg, String message) {
    assertThatThrownBy(() -> parse(arg)).isInstanceOf(ConfigException.class).hasMessage(message);
  }

  private static StubsConfig parse(String... args) {
    return StubsConfig.parse(List.of(args), Map.of());
  }
}
