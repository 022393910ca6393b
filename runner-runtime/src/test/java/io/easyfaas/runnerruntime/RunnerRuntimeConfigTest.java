package io.easyfaas.runnerruntime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.config.ConfigException;
import io.easyfaas.common.disk.DiskTree;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunnerRuntimeConfigTest {
  @TempDir Path temp;

  // JUnit warns of every link it deletes.
  @AfterEach
  void deleteLinks() throws IOException {
    DiskTree.delete(temp);
  }

  @Test
  void hasDefaults() {
    assertThat(RunnerRuntimeConfig.parse(List.of(), Map.of()))
        .isEqualTo(new RunnerRuntimeConfig(Path.of("/var/faas"), new RootfsSource.Unchanged()));
  }

  @Test
  void everyKeyCanBeSet() {
    assertThat(
            RunnerRuntimeConfig.parse(
                List.of("--data-dir", "/d", "--rootfs-source=host-usr"), Map.of()))
        .isEqualTo(new RunnerRuntimeConfig(Path.of("/d"), new RootfsSource.HostUsr()));
    assertThat(
            RunnerRuntimeConfig.parse(
                List.of(), Map.of("EASYFAAS_ROOTFS_SOURCE", "/images/debian")))
        .isEqualTo(
            new RunnerRuntimeConfig(
                Path.of("/var/faas"), new RootfsSource.Tree(Path.of("/images/debian"))));
  }

  @Test
  void anUnknownKeyIsRefused() {
    assertThatThrownBy(() -> RunnerRuntimeConfig.parse(List.of("--rootfs", "/r"), Map.of()))
        .isInstanceOf(ConfigException.class)
        .hasMessage("unknown flag --rootfs (expected one of: data-dir, rootfs-source)");
  }
}
