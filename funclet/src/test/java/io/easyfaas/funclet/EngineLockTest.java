package io.easyfaas.funclet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.easyfaas.common.config.ConfigException;
import io.easyfaas.common.disk.Damage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class EngineLockTest {
  @TempDir private Path directory;

  @Test
  void aSecondEngineIsToldWhoIsThere() {
    Path data = directory.resolve("data");
    try (EngineLock _ = EngineLock.take(data)) {
      assertThatExceptionOfType(ConfigException.class)
          .isThrownBy(() -> EngineLock.take(data))
          .withMessage(
              "--data-dir: "
                  + data
                  + " is in use by another engine (pid "
                  + ProcessHandle.current().pid()
                  + ")");
    }
    EngineLock.take(data).close();
  }

  @Test
  void theIdDependsOnTheDirectoryAndNotOnHowItIsNamed() throws IOException {
    Path data = Files.createDirectory(directory.resolve("data"));
    Path link = Files.createSymbolicLink(directory.resolve("link"), data);
    String id;
    try (EngineLock lock = EngineLock.take(data)) {
      id = lock.engineId();
    }

    try (EngineLock lock = EngineLock.take(link);
        EngineLock other = EngineLock.take(directory.resolve("other"))) {
      assertThat(lock.engineId()).isEqualTo(id).matches("[0-9a-f]{8}");
      assertThat(other.engineId()).isNotEqualTo(id);
    }
  }

  @Test
  void directoriesThatDifferInLettersBeyondAsciiOnlyHaveDifferentIds() {
    try (EngineLock acute = EngineLock.take(directory.resolve("\u00e9"));
        EngineLock grave = EngineLock.take(directory.resolve("\u00e8"))) {
      assertThat(acute.engineId()).isNotEqualTo(grave.engineId());
    }
  }

  @ParameterizedTest
  @EnumSource
  void whateverIsInTheLocksPlaceIsReplaced(Damage damage) throws IOException {
    damage.to(directory.resolve(".engine.lock"));

    EngineLock.take(directory).close();

    assertThat(directory.resolve(".engine.lock")).isRegularFile();
    assertThat(directory.resolve("nowhere")).doesNotExist();
  }
}
