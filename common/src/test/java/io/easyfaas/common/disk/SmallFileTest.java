package io.easyfaas.common.disk;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class SmallFileTest {
  @TempDir private Path directory;

  @Test
  void whatWasWrittenIsRead() throws IOException {
    SmallFile file = new SmallFile(directory.resolve("file"));
    assertThat(file.read()).isEmpty();

    file.replace("one");
    file.replace("é\n");

    assertThat(file.read()).contains("é\n");
    assertThat(directory.toFile().list()).containsExactly("file");
  }

  @ParameterizedTest
  @EnumSource
  void whateverIsThereIsReadAsTextOrNotAndCanBeReplaced(Damage damage) throws IOException {
    SmallFile file = new SmallFile(directory.resolve("file"));
    damage.to(file.path());

    file.read();
    file.replace("again");

    assertThat(file.read()).contains("again");
    assertThat(directory.resolve("nowhere")).doesNotExist();
  }

  @Test
  void theSameTextNeedsNoRoom() throws IOException {
    SmallFile file = new SmallFile(directory.resolve("file"));
    file.replace("same");
    Object before = Files.getAttribute(file.path(), "unix:ino");

    file.replace("same");

    assertThat(Files.getAttribute(file.path(), "unix:ino")).isEqualTo(before);
  }
}
