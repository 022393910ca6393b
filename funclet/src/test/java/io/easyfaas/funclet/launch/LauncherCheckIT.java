package io.easyfaas.funclet.launch;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.json.Json;
import io.easyfaas.funclet.FuncletConfig;
import io.easyfaas.funclet.RequiresRoot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What `check` says of a machine, next to what happens there.
@RequiresRoot
@Timeout(120)
final class LauncherCheckIT {
  private static final Path PROGRAM = FuncletConfig.parse(List.of(), Map.of()).launcher();
  private static final Pattern NEEDED =
      Pattern.compile("It needs root with (.*?) and Linux", Pattern.DOTALL);

  @TempDir private Path home;

  @Test
  void withExactlyWhatIsDocumentedAllIsThere() throws Exception {
    assertThat(missing(documented().toList())).isEmpty();
  }

  @ParameterizedTest
  @MethodSource("documented")
  void withoutOneOfWhatIsDocumentedThereIsNoSandbox(String capability) throws Exception {
    assertThat(missing(documented().filter(each -> !each.equals(capability)).toList()))
        .contains("sandbox");
  }

  /// Names as setpriv(1) has them.
  private static Stream<String> documented() throws IOException {
    String page = Files.readString(Path.of("../docs/launcher.md"));
    var needed = NEEDED.matcher(page);
    assertThat(needed.find()).isTrue();
    return Pattern.compile("CAP_(\\w+)")
        .matcher(needed.group(1))
        .results()
        .map(name -> name.group(1).toLowerCase(Locale.ROOT));
  }

  private List<String> missing(List<String> capabilities) throws Exception {
    StringBuilder set = new StringBuilder("-all");
    new TreeSet<>(capabilities).forEach(name -> set.append(",+").append(name));
    Path answer = home.resolve("answer");
    Process check =
        new ProcessBuilder(
                "setpriv",
                "--bounding-set=" + set,
                "--inh-caps=" + set,
                PROGRAM.toString(),
                "check")
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .redirectOutput(answer.toFile())
            .start();
    int status = check.waitFor();
    List<String> missing =
        Files.readAllLines(answer).stream()
            .map(line -> Json.CAMEL.read(line, Feature.class))
            .filter(feature -> feature.required() && !feature.present())
            .map(Feature::feature)
            .toList();
    assertThat(status).isEqualTo(missing.isEmpty() ? 0 : 125);
    return missing;
  }

  /// One line.
  record Feature(String feature, boolean present, boolean required) {}
}
