package io.easyfaas.funclet.mount;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.disk.Damage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class SlotFilesTest {
  @TempDir private Path directory;

  @ParameterizedTest
  @EnumSource
  void whateverIsInTheSlotsPlaceIsRemoved(Damage damage) throws IOException {
    damage.to(Files.createDirectories(directory.resolve("data/slots")));
    damage.to(Files.createDirectories(directory.resolve("run/slots/c0/runner.sock")));

    new SlotFiles(directory.resolve("run"), directory.resolve("data")).removeAll();

    assertThat(directory.resolve("data")).isEmptyDirectory();
    assertThat(directory.resolve("run")).isEmptyDirectory();
  }

  @Test
  void whatALinkLeadsToStays() throws IOException {
    Path foreign = Files.createDirectories(directory.resolve("foreign/c0"));
    Path run = Files.createDirectory(directory.resolve("run"));
    Files.createSymbolicLink(run.resolve("slots"), foreign.getParent());

    new SlotFiles(run, directory.resolve("data")).removeAll();

    assertThat(foreign).isDirectory();
    assertThat(run).isEmptyDirectory();
  }
}
