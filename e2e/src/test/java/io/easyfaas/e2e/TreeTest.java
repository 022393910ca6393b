package io.easyfaas.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// How the tests look through directories.
final class TreeTest {
  @TempDir private Path root = Path.of("");

  @Test
  void whatGoesAwayMeanwhileIsNotThere() throws IOException {
    Path first = Files.createDirectories(root.resolve("first"));
    Path second = Files.createDirectories(root.resolve("second"));

    // Whichever of the two comes first takes the other away.
    assertThat(
            Tree.find(
                root,
                8,
                (path, _) -> !path.equals(root) && removed(path.equals(first) ? second : first)))
        .hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 256})
  void whatCannotBeListedFails(int length) {
    Path nowhere = root.resolve("x".repeat(length)); // Not there, or longer than names can be.

    assertThatThrownBy(() -> Tree.find(nowhere, 8, (_, _) -> true))
        .isInstanceOf(AssertionError.class);
  }

  private static boolean removed(Path path) {
    try {
      return Files.deleteIfExists(path);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
