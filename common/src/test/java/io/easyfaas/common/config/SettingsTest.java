package io.easyfaas.common.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class SettingsTest {
  private static final List<Option> OPTIONS =
      List.of(
          new Option("port", "port", "8001", "Where it listens."),
          new Option("idle-time", "duration", "60s", "When it is let go."),
          new Option("memory", "size", "128MiB", "How much it may use."),
          new Option("cores", "number", "1.5", "How fast it may be."),
          new Option("data-dir", "path", "/var/faas", "Where it lives."),
          new Option("verbose", "flag", "false", "Whether it talks."));

  @Test
  void answersTheDefaults() {
    Settings settings = parse();

    assertThat(settings.port("port")).isEqualTo(8001);
    assertThat(settings.duration("idle-time")).isEqualTo(Duration.ofMinutes(1));
    assertThat(settings.bytes("memory")).isEqualTo(ByteSize.ofMebibytes(128));
    assertThat(settings.decimal("cores", 0, 8)).isEqualTo(1.5);
    assertThat(settings.path("data-dir")).isEqualTo(Path.of("/var/faas"));
    assertThat(settings.flag("verbose")).isFalse();
  }

  @Test
  void readsEveryKindFromTheCommandLine() {
    Settings settings =
        parse(
            "--port",
            "0",
            "--idle-time=5m",
            "--memory",
            "1g",
            "--cores=2",
            "--data-dir",
            "/a/../b",
            "--verbose");

    assertThat(settings.port("port")).isZero();
    assertThat(settings.duration("idle-time")).isEqualTo(Duration.ofMinutes(5));
    assertThat(settings.bytes("memory")).isEqualTo(ByteSize.ofMebibytes(1024));
    assertThat(settings.decimal("cores", 0, 8)).isEqualTo(2);
    assertThat(settings.path("data-dir")).isEqualTo(Path.of("/b"));
    assertThat(settings.flag("verbose")).isTrue();
  }

  @Test
  void prefersTheCommandLineToTheEnvironmentToTheDefault() {
    Map<String, String> environment = Map.of("EASYFAAS_PORT", "1", "EASYFAAS_IDLE_TIME", "2s");

    Settings settings = Settings.parse(OPTIONS, List.of("--port=3"), environment);

    assertThat(settings.port("port")).isEqualTo(3);
    assertThat(settings.duration("idle-time")).isEqualTo(Duration.ofSeconds(2));
    assertThat(settings.bytes("memory")).isEqualTo(ByteSize.ofMebibytes(128));
  }

  @Test
  void takesUnderscoresInKeysForDashes() {
    assertThat(parse("--idle_time", "1ms").duration("idle-time")).isEqualTo(Duration.ofMillis(1));
  }

  @Test
  void aFlagMayStandBeforeAnotherKeyOrCarryItsValue() {
    assertThat(parse("--verbose", "--port", "1").flag("verbose")).isTrue();
    assertThat(parse("--verbose", "false", "--port", "1").flag("verbose")).isFalse();
    assertThat(parse("--verbose=TRUE").flag("verbose")).isTrue();
  }

  @Test
  void refusesAnUnknownKeyAndNamesTheKnownOnes() {
    assertThatThrownBy(() -> parse("--prot", "1"))
        .isInstanceOf(ConfigException.class)
        .hasMessage(
            "unknown flag --prot (expected one of: port, idle-time, memory, cores, data-dir,"
                + " verbose)");
  }

  @Test
  void refusesAKeyWithoutItsValue() {
    assertThatThrownBy(() -> parse("--port"))
        .isInstanceOf(ConfigException.class)
        .hasMessage("--port: no value (expected: port)");
    assertThatThrownBy(() -> parse("--data-dir", "--verbose"))
        .isInstanceOf(ConfigException.class)
        .hasMessage("--data-dir: no value (expected: path)");
  }

  @Test
  void refusesAValueWithoutAKey() {
    assertThatThrownBy(() -> parse("8001"))
        .isInstanceOf(ConfigException.class)
        .hasMessage("argument: \"8001\" (expected: --key value)");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          port      | 65536 | --port: "65536" (expected: a whole number from 0 to 65535)
          port      | -1    | --port: "-1" (expected: a whole number from 0 to 65535)
          port      | http  | --port: "http" (expected: a whole number from 0 to 65535)
          idle-time | 60    | --idle-time: "60" (expected: a number and a unit: ms, s, m or h)
          idle-time | -1s   | --idle-time: "-1s" (expected: a number and a unit: ms, s, m or h)
          memory    | 12    | --memory: size: "12" (expected: a number and a unit, for example 128MiB)
          cores     | NaN   | --cores: "NaN" (expected: a number from 0.0 to 8.0)
          cores     | 9     | --cores: "9" (expected: a number from 0.0 to 8.0)
          data-dir  | ''    | --data-dir: "" (expected: a path)
          verbose   | yes   | --verbose: "yes" (expected: true or false)
          """)
  void namesTheKeyTheValueAndWhatWasExpected(String key, String value, String message) {
    Settings settings = parse("--" + key + "=" + value);

    assertThatThrownBy(() -> read(settings, key))
        .isInstanceOf(ConfigException.class)
        .hasMessage(message);
  }

  @Test
  void listsTheEffectiveValuesInTheOrderOfTheOptions() {
    assertThat(parse("--port", "9").effective())
        .startsWith("port=9", "idle-time=60s")
        .hasSize(OPTIONS.size());
  }

  @Test
  void keysAreLowerCaseAndDashed() {
    assertThatThrownBy(() -> new Option("dataDir", "path", "", ""))
        .hasMessage("key: \"dataDir\" (expected: lower-case-dashed)");
  }

  private static Settings parse(String... args) {
    return Settings.parse(OPTIONS, List.of(args), Map.of());
  }

  private static Object read(Settings settings, String key) {
    return switch (key) {
      case "port" -> settings.port(key);
      case "idle-time" -> settings.duration(key);
      case "memory" -> settings.bytes(key);
      case "cores" -> settings.decimal(key, 0, 8);
      case "data-dir" -> settings.path(key);
      case "verbose" -> settings.flag(key);
      default -> throw new AssertionError(key);
    };
  }
}
