package io.easyfaas.funclet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.easyfaas.common.config.ConfigException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class EngineLockTest {
  @TempDir private Path directory;

  @Test
  void aSecondEngineIsToldWhoIsThere() {
    Path data = directory.resolve("data");
    try (EngineLock _ = EngineLock.ofData(data)) {
      assertThatExceptionOfType(ConfigException.class)
          .isThrownBy(() -> EngineLock.ofData(data))
          .withMessage(
              "--data-dir: "
                  + data
                  + " is in use by another engine (pid "
                  + ProcessHandle.current().pid()
                  + ")");
    }
    EngineLock.ofData(data).close();
  }

  @Test
  void theRunDirectoryHasALockOfItsOwn() {
    try (EngineLock _ = EngineLock.ofData(directory);
        EngineLock _ = EngineLock.ofRun(directory)) {
      assertThatExceptionOfType(ConfigException.class)
          .isThrownBy(() -> EngineLock.ofRun(directory))
          .withMessageStartingWith(
              "--run-dir: " + directory + " is in use by another engine (pid ");
    }
  }

  @Test
  void whatTheDiskRefusesIsToldAndNotTakenForAMissingRight() throws IOException {
    Path file = Files.writeString(directory.resolve("file"), "");

    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> EngineLock.ofData(file))
        .withMessage("--data-dir " + file + ": " + file + ": exists already");
  }

  @Test
  void theIdDependsOnTheDirectoryAndNotOnHowItIsNamed() throws IOException {
    Path data = Files.createDirectory(directory.resolve("data"));
    Path link = Files.createSymbolicLink(directory.resolve("link"), data);
    String id;
    try (EngineLock lock = EngineLock.ofData(data)) {
      id = lock.engineId();
    }

    try (EngineLock lock = EngineLock.ofData(link);
        EngineLock other = EngineLock.ofData(directory.resolve("other"))) {
      assertThat(lock.engineId()).isEqualTo(id).matches("[0-9a-f]{8}");
      assertThat(other.engineId()).isNotEqualTo(id);
    }
  }

  @Test
  void directoriesThatDifferInLettersBeyondAsciiOnlyHaveDifferentIds() {
    try (EngineLock acute = EngineLock.ofData(directory.resolve("\u00e9"));
        EngineLock grave = EngineLock.ofData(directory.resolve("\u00e8"))) {
      assertThat(acute.engineId()).isNotEqualTo(grave.engineId());
    }
  }
}
