package io.easyfaas.funclet;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.disk.Damage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class LeftoversTest {
  @TempDir private Path directory;

  @Test
  void groupsOfAnEarlierEngineAreRemovedWhereverTheyAre() throws IOException {
    Path earlier = Files.createDirectories(directory.resolve("session-1/easyfaas-00c0ffee/c0"));
    Path now = directory.resolve("session-2/easyfaas-00c0ffee");
    Leftovers leftovers = new Leftovers(directory, "00c0ffee");
    leftovers.sweep(List.of(directory.resolve("session-1/easyfaas-00c0ffee")));
    Files.createDirectories(earlier);

    leftovers.sweep(List.of(now));

    assertThat(directory.resolve("session-1/easyfaas-00c0ffee")).doesNotExist();
    assertThat(directory.resolve("session-1")).isDirectory();
    assertThat(directory.resolve("cgroups")).hasContent(now.toString());
  }

  @Test
  void nothingButGroupsOfThisEngineIsRemoved() throws IOException {
    Path foreign = Files.createDirectories(directory.resolve("easyfaas-11111111"));
    Path climbing = directory.resolve("x/../easyfaas-11111111/../easyfaas-11111111");
    Files.write(
        directory.resolve("cgroups"),
        List.of(foreign.toString(), climbing.toString(), "", "easyfaas-00c0ffee"));

    new Leftovers(directory, "00c0ffee").sweep(List.of());

    assertThat(foreign).isDirectory();
  }

  @ParameterizedTest
  @EnumSource
  void aDamagedRecordIsLeftOutAndWrittenAnew(Damage damage) throws IOException {
    Path now = directory.resolve("session/easyfaas-00c0ffee");
    Leftovers leftovers = new Leftovers(directory, "00c0ffee");
    leftovers.sweep(List.of(now));
    damage.to(directory.resolve("cgroups"));

    leftovers.sweep(List.of(now));

    assertThat(directory.resolve("cgroups")).isRegularFile().hasContent(now.toString());
    assertThat(directory.resolve("nowhere")).doesNotExist();
  }
}
