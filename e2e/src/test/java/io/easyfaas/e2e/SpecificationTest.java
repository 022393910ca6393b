package io.easyfaas.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// `docs/specification.md` names a test for every promise; each of them exists.
final class SpecificationTest {
  private static final Path SPECIFICATION = Installation.home().resolve("docs/specification.md");
  private static final Pattern TEST = Pattern.compile("`(\\w+(?:Test|IT))#(\\w+)`");
  private static final Pattern PROMISE = Pattern.compile("(?m)^\\| (\\d+\\.\\d+) \\|.*$");

  @Test
  void everyNamedTestExists() {
    Map<String, String> sources = sourcesByClass();
    List<String> missing = new ArrayList<>();
    Matcher tests = TEST.matcher(read(SPECIFICATION));
    int named = 0;
    while (tests.find()) {
      named++;
      String source = sources.getOrDefault(tests.group(1), "");
      if (!Pattern.compile("\\bvoid " + tests.group(2) + "\\(").matcher(source).find()) {
        missing.add(tests.group());
      }
    }

    assertThat(named).isGreaterThan(50);
    assertThat(missing).isEmpty();
  }

  @Test
  void everyPromiseNamesATestOrSaysThatItIsPending() {
    List<String> untested = new ArrayList<>();
    Matcher promises = PROMISE.matcher(read(SPECIFICATION));
    while (promises.find()) {
      String row = promises.group();
      if (!TEST.matcher(row).find() && !row.contains("[test pending]")) {
        untested.add(row);
      }
    }

    assertThat(untested).isEmpty();
  }

  @Test
  void promisesAreNumberedWithoutGaps() {
    List<String> numbers = new ArrayList<>();
    Matcher promises = PROMISE.matcher(read(SPECIFICATION));
    while (promises.find()) {
      numbers.add(promises.group(1));
    }

    int chapter = 1;
    int next = 1;
    for (String number : numbers) {
      if (!number.equals(chapter + "." + next)) {
        chapter++;
        next = 1;
      }
      assertThat(number).isEqualTo(chapter + "." + next);
      next++;
    }
  }

  private static Map<String, String> sourcesByClass() {
    Map<String, String> sources = new HashMap<>();
    try (Stream<Path> files =
        Files.find(
            Installation.home(),
            20,
            (path, attributes) ->
                attributes.isRegularFile()
                    && path.toString().contains("/src/test/java/")
                    && path.toString().endsWith(".java"))) {
      files.forEach(
          // Two modules may have tests of one name.
          file ->
              sources.merge(
                  file.getFileName().toString().replace(".java", ""), read(file), String::concat));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return sources;
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
