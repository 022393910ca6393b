package io.easyfaas.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Starting where little is set: services, cron jobs and containers have no locale.
@EndToEnd
final class StartIT {
  // How a shell prints 中文, which this JVM can pass on only if it has a locale itself.
  private static final String CHINESE = "\\344\\270\\255\\346\\226\\207";

  @RegisterExtension private static final Leaks LEAKS = new Leaks();

  @Test
  void anEngineStartsWithNothingButAPath() {
    EngineHome home = LEAKS.home();
    EngineProcess engine =
        home.run(
            Installation.shipped(home.arguments("--container-num=1")),
            Map.of("PATH", "/usr/bin:/bin"));
    engine.awaitReady();
    engine.create(
        FunctionSpec.python("speaks", "def handler(event, context):\n    return '中文 ' + event"));

    assertThat(engine.call("speaks", "\"é\"")).isEqualTo("中文 é");
  }

  @Test
  void theDemoRunsWithNothingButAPath() {
    Command.Result demo =
        Command.run(Installation.shipped(List.of("demo")), Map.of("PATH", "/usr/bin:/bin"));

    assertThat(demo.status()).describedAs("%s", demo).isZero();
    assertThat(demo.out()).contains("Hello, Ada!");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "C", "POSIX", "C.UTF-8"})
  void theCommandLineSpeaksEveryLanguageWhateverTheLocale(String locale) {
    EngineProcess engine = LEAKS.start("--container-num=1");
    Map<String, String> environment = new HashMap<>(engine.home().environment());
    environment.remove("LANG");
    if (!locale.isEmpty()) {
      environment.put("LC_ALL", locale);
    }
    engine.create(FunctionSpec.node("described", "exports.handler = async () => 1;"));
    List<String> command =
        new ArrayList<>(
            List.of("sh", "-c", "exec \"$@\" --description \"$(printf '" + CHINESE + "')\"", "sh"));
    command.addAll(Installation.shipped(List.of("function", "update", "described")));

    Command.Result updated = Command.run(command, environment);
    Command.Result shown =
        Command.run(
            Installation.shipped(List.of("function", "get", "described", "--output", "json")),
            environment);

    assertThat(updated.status()).describedAs("%s", updated).isZero();
    assertThat(described(engine)).isEqualTo("中文");
    assertThat(shown.json().at("/Configuration/Description").asString()).isEqualTo("中文");
  }

  private static String described(EngineProcess engine) {
    return engine
        .send(engine.registry("/v1/functions/described").GET())
        .json()
        .at("/Configuration/Description")
        .asString();
  }
}
