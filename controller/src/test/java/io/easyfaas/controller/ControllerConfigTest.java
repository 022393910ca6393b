package io.easyfaas.controller;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.config.ConfigException;
import io.easyfaas.common.config.Option;
import io.easyfaas.common.http.HttpAddress;
import io.easyfaas.controller.userlog.UserLogFormat;
import io.easyfaas.controller.userlog.UserLogLimits;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ControllerConfigTest {
  @Test
  void defaults() {
    assertThat(ControllerConfig.parse(List.of(), Map.of()))
        .isEqualTo(
            new ControllerConfig(
                new HttpAddress.Tcp("127.0.0.1", 8001),
                Path.of("/var/run/faas/.funcletapi.sock"),
                Path.of("/var/run/faas"),
                new ControllerConfig.Repository(
                    new HttpAddress.Tcp("127.0.0.1", 8002), "v1", false),
                new ControllerConfig.Slots(
                    Duration.ofSeconds(10),
                    Duration.ofSeconds(60),
                    1000,
                    ByteSize.ofMebibytes(64),
                    Duration.ofSeconds(5),
                    Duration.ofSeconds(5),
                    2),
                new ControllerConfig.UserLogs(
                    UserLogFormat.PLAIN,
                    Path.of("/var/faas/logs"),
                    new UserLogLimits(
                        ByteSize.ofMebibytes(6),
                        ByteSize.ofMebibytes(4),
                        4,
                        ByteSize.ofMebibytes(256))),
                1,
                new ControllerConfig.Functions(
                    ByteSize.ofMebibytes(16), Duration.ofSeconds(1), Duration.ofSeconds(60)),
                true,
                ByteSize.ofMebibytes(6)));
  }

  @Test
  void everyKeyIsRead() {
    Map<String, String> values =
        Map.ofEntries(
            Map.entry("port", "1"),
            Map.entry("bind-address", "0.0.0.0"),
            Map.entry("funclet-api-sock", "/a"),
            Map.entry("run-dir", "/c"),
            Map.entry("repository-endpoint", "http://r:2"),
            Map.entry("repository-version", "v2/x"),
            Map.entry("repository-auth-transfer", "true"),
            Map.entry("event-loops", "3"),
            Map.entry("runtime-alive-timeout", "4s"),
            Map.entry("max-runtime-idle", "5s"),
            Map.entry("freeze-after", "50ms"),
            Map.entry("max-prewarmed", "12"),
            Map.entry("max-queue", "6"),
            Map.entry("max-queue-bytes", "7MiB"),
            Map.entry("max-queue-wait", "8ms"),
            Map.entry("latest-stale", "18s"),
            Map.entry("function-cache-size", "17MiB"),
            Map.entry("latest-cache", "9s"),
            Map.entry("userlog-type", "json"),
            Map.entry("data-dir", "/c"),
            Map.entry("userlog-filepath", "/b"),
            Map.entry("userlog-call-size", "13B"),
            Map.entry("userlog-file-size", "14B"),
            Map.entry("userlog-files", "15"),
            Map.entry("userlog-total-size", "1600B"),
            Map.entry("enable-simple-auth", "false"),
            Map.entry("max-body", "10KiB"));
    List<String> args = new ArrayList<>();
    values.forEach((key, value) -> args.addAll(List.of("--" + key, value)));

    assertThat(ControllerConfig.options())
        .extracting(Option::key)
        .hasSameElementsAs(values.keySet());
    assertThat(ControllerConfig.parse(args, Map.of()))
        .isEqualTo(
            new ControllerConfig(
                new HttpAddress.Tcp("0.0.0.0", 1),
                Path.of("/a"),
                Path.of("/c"),
                new ControllerConfig.Repository(new HttpAddress.Tcp("r", 2), "v2/x", true),
                new ControllerConfig.Slots(
                    Duration.ofSeconds(4),
                    Duration.ofSeconds(5),
                    6,
                    ByteSize.ofMebibytes(7),
                    Duration.ofMillis(8),
                    Duration.ofMillis(50),
                    12),
                new ControllerConfig.UserLogs(
                    UserLogFormat.JSON,
                    Path.of("/b"),
                    new UserLogLimits(new ByteSize(13), new ByteSize(14), 15, new ByteSize(1600))),
                3,
                new ControllerConfig.Functions(
                    ByteSize.ofMebibytes(17), Duration.ofSeconds(9), Duration.ofSeconds(18)),
                false,
                new ByteSize(10 * 1024)));
  }

  @Test
  void userLogsAreBelowTheDataDirectoryUnlessSaidOtherwise() {
    assertThat(ControllerConfig.parse(List.of("--data-dir", "/x"), Map.of()).userLog().root())
        .isEqualTo(Path.of("/x/logs"));
  }

  @Test
  void funcletIsInTheRunDirectoryUnlessSaidOtherwise() {
    assertThat(ControllerConfig.parse(List.of("--run-dir", "/x"), Map.of()).funcletSocket())
        .isEqualTo(Path.of("/x/.funcletapi.sock"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "max-body | 7MiB | --max-body: 7MiB (expected: at most 6MiB)",
        "userlog-type | xml | --userlog-type: \"xml\" (expected: plain or json)",
        "userlog-total-size | 1MiB | --userlog-total-size: 1MiB (expected: at least --userlog-files"
            + " times --userlog-file-size, 4 times 4MiB)",
        "userlog-file-size | 0B | --userlog-call-size: 6MiB, --userlog-file-size: 0B (expected: >"
            + " 0)",
        "event-loops | 0 | --event-loops: \"0\" (expected: a whole number from 1 to 64)",
        "repository-version | /v1 | --repository-version: \"/v1\" (expected: path segments, for"
            + " example v1)",
        "repository-endpoint | ftp://x/y | --repository-endpoint: address: \"ftp://x/y\" (expected:"
            + " http://host:port or unix:///path)",
        "runtime-alive-timeout | 0s | --runtime-alive-timeout: \"0s\" (expected: at least 100ms)",
        "max-queue-bytes | 0B | --max-queue-bytes: 0B (expected: at least --max-body, 6MiB)",
        "max-queue-wait | 0s | --max-queue-wait: 0 (expected: more; --max-queue 0 turns it off)",
      })
  void badValuesAreNamed(String key, String value, String message) {
    assertThatThrownBy(() -> ControllerConfig.parse(List.of("--" + key, value), Map.of()))
        .isInstanceOf(ConfigException.class)
        .hasMessage(message);
  }
}
