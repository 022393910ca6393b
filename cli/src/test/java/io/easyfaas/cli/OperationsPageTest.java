package io.easyfaas.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.config.Option;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The settings in `docs/operations.md` are those the parts declare.
class OperationsPageTest {
  private static final Path PAGE = Path.of("../docs/operations.md");

  static Stream<ServiceCommand> parts() {
    return ServiceCommand.all().stream().filter(part -> !part.name().equals("up"));
  }

  @ParameterizedTest
  @MethodSource("parts")
  void listsEverySettingOfThePart(ServiceCommand part) throws IOException {
    String rows =
        part.options().stream().map(OperationsPageTest::row).collect(Collectors.joining("\n"));

    assertThat(Files.readString(PAGE))
        .contains(
            "### "
                + part.name()
                + "\n\n| key | value | default | |\n| --- | --- | --- | --- |\n"
                + rows
                + "\n");
  }

  private static String row(Option option) {
    String byDefault = option.defaultValue().isEmpty() ? "" : "`" + option.defaultValue() + "`";
    return "| `%s` | %s | %s | %s |"
        .formatted(option.key(), option.kind(), byDefault, option.description());
  }
}
