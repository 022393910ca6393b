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

    new SlotFiles(directory.resolve("data")).removeAll();

    assertThat(directory.resolve("data")).isEmptyDirectory();
  }

  @Test
  void whatALinkLeadsToStays() throws IOException {
    Path foreign = Files.createDirectories(directory.resolve("foreign/c0"));
    Path data = Files.createDirectory(directory.resolve("data"));
    Files.createSymbolicLink(data.resolve("slots"), foreign.getParent());

    new SlotFiles(data).removeAll();

    assertThat(foreign).isDirectory();
    assertThat(data).isEmptyDirectory();
  }
}
