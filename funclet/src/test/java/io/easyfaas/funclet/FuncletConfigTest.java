package io.easyfaas.funclet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.config.ConfigException;
import io.easyfaas.common.disk.DiskUse;
import io.easyfaas.funclet.code.CodePace;
import io.easyfaas.funclet.mount.SourceDirectories;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class FuncletConfigTest {
  @Test
  void defaults() {
    FuncletConfig config = FuncletConfig.parse(List.of(), Map.of());

    assertThat(config.launcher().getFileName()).hasToString("easyfaas-launcher");
    assertThat(config)
        .isEqualTo(
            new FuncletConfig(
                Path.of("/var/faas"),
                Path.of("/var/run/faas"),
                Path.of("/var/run/faas/.funcletapi.sock"),
                "funclet",
                10,
                new FuncletConfig.Node(ByteSize.ZERO, null, 0),
                new FuncletConfig.Runner(
                    ByteSize.ofMebibytes(128), 0, 0.2, 256, ByteSize.ofMebibytes(64)),
                new DiskUse(2L << 30, 200_000),
                new CodePace(Duration.ofSeconds(10), 8 << 20),
                sources(
                    "/var/faas/runtimes",
                    "/var/faas/functions",
                    config.launcher().resolveSibling("").toString()),
                Path.of("/sys/fs/cgroup"),
                config.launcher()));
  }

  @Test
  void everyKeyIsMapped() {
    FuncletConfig config =
        FuncletConfig.parse(
            List.of(
                "--data-dir", "/d",
                "--run-dir", "/r",
                "--api-sock", "/s/api.sock",
                "--pod-name", "pod-7",
                "--container-num", "3",
                "--total-memory", "4GiB",
                "--reserved-memory", "1GiB",
                "--total-cpu", "2.5",
                "--runner-memory", "256MiB",
                "--runner-cpu-limits", "1.5",
                "--runner-cpu-requests", "0.5",
                "--pids-max", "99",
                "--tmp-size", "1MiB",
                "--code-cache-size", "1GiB",
                "--code-cache-inodes", "77",
                "--code-rate", "1MiB",
                "--function-dir", "/f",
                "--source-dirs", "/x:/y",
                "--cgroup-root-path", "/cg",
                "--launcher", "/bin/launcher"),
            Map.of());

    assertThat(config)
        .isEqualTo(
            new FuncletConfig(
                Path.of("/d"),
                Path.of("/r"),
                Path.of("/s/api.sock"),
                "pod-7",
                3,
                new FuncletConfig.Node(ByteSize.ofMebibytes(4096), ByteSize.ofMebibytes(1024), 2.5),
                new FuncletConfig.Runner(
                    ByteSize.ofMebibytes(256), 1.5, 0.5, 99, ByteSize.ofMebibytes(1)),
                new DiskUse(1L << 30, 77),
                new CodePace(Duration.ofSeconds(10), 1 << 20),
                sources("/d/runtimes", "/f", "/bin", "/x", "/y"),
                Path.of("/cg"),
                Path.of("/bin/launcher")));
  }

  @Test
  void thePodNamesItselfThroughTheEnvironment() {
    Map<String, String> environment = Map.of("MY_POD_NAME", "faas-0", "EASYFAAS_TMP_SIZE", "1MiB");

    assertThat(FuncletConfig.parse(List.of(), environment).podName()).isEqualTo("faas-0");
    assertThat(FuncletConfig.parse(List.of("--pod-name", "x"), environment).podName())
        .isEqualTo("x");
    assertThat(FuncletConfig.parse(List.of(), environment).runner().tmpSize())
        .isEqualTo(ByteSize.ofMebibytes(1));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--container-num=0|--container-num: \"0\" (expected: a whole number from 1 to 4096)",
        "--container-num=5000|--container-num: \"5000\" (expected: a whole number from 1 to 4096)",
        "--runner-memory=128|--runner-memory: size: \"128\" (expected: a number and a unit",
        "--runner-memory=0B|--runner-memory: \"0B\" (expected: at least 1MiB)",
        "--runner-cpu-limits=-1|--runner-cpu-limits: \"-1\" (expected: a number from 0",
        "--pids-max=1|--pids-max: \"1\" (expected: a whole number from 8",
        "--code-cache-size=1B|--code-cache-size: \"1B\" (expected: at least 8KiB)",
        "--code-cache-inodes=1|--code-cache-inodes: \"1\" (expected: a whole number from 2",
        "--pod-name=a/b|--pod-name: \"a/b\"",
        "--source-dirs=/a:b|--source-dirs: \"b\" (expected: an absolute path)",
        "--port=1|unknown flag --port",
      })
  void badValuesAreNamed(String arg, String message) {
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> FuncletConfig.parse(List.of(arg), Map.of()))
        .withMessageContaining(message);
  }

  @Test
  void aPodNameThatIsTooLongForAHostNameIsRefused() {
    refused(List.of("--pod-name", "p".repeat(50)), "expected: 1 to 63 letters");
  }

  @Test
  void aRunDirectoryThatIsTooLongForSocketsIsRefused() {
    refused(
        List.of("--run-dir", "/" + "r".repeat(100)), "bytes (expected: at most 107, see unix(7))");
  }

  private static SourceDirectories sources(String... directories) {
    return new SourceDirectories(Stream.of(directories).map(Path::of).toList());
  }

  private static void refused(List<String> args, String message) {
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> FuncletConfig.parse(args, Map.of()))
        .withMessageContaining(message);
  }
}
