package io.easyfaas.funclet.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What becomes of groups, on directories that have no processes.
final class CgroupRemovalTest {
  @TempDir private Path directory;

  @Test
  void groupsThatGoAwayWhileOneLooksDoNotKeepTheOthers() throws Exception {
    for (int round = 0; round < 200; round++) {
      Path group = Files.createDirectories(directory.resolve("engine"));
      for (int i = 0; i < 20; i++) {
        Files.createDirectories(group.resolve("slot" + i).resolve("sandbox"));
      }
      CountDownLatch begun = new CountDownLatch(1);
      Thread other = new Thread(() -> removeAll(group, begun));
      other.start();
      begun.await();

      int killed = CgroupRemoval.remove(List.of(group));

      other.join();
      assertThat(killed).isZero();
      assertThat(group).describedAs("round %d", round).doesNotExist();
    }
  }

  @Test
  void allOfAGroupIsKilledInOneGoWhereTheKernelCan() throws Exception {
    Process sleep = new ProcessBuilder("sleep", "600").start();
    Path group = Files.createDirectories(directory.resolve("engine"));
    Path kill = Files.createFile(group.resolve("cgroup.kill"));
    Files.writeString(group.resolve("cgroup.procs"), sleep.pid() + "\n"); // As long as one looks.

    assertThatExceptionOfType(CgroupException.class)
        .isThrownBy(() -> CgroupRemoval.remove(List.of(group), Duration.ofMillis(100)))
        .withMessageContaining("kill processes [" + sleep.pid() + "]");

    assertThat(kill).hasContent("1");
    assertThat(sleep.waitFor()).isNotZero();
  }

  private static void removeAll(Path group, CountDownLatch begun) {
    begun.countDown();
    for (int i = 0; i < 20; i++) {
      try {
        Files.deleteIfExists(group.resolve("slot" + i).resolve("sandbox"));
        Files.deleteIfExists(group.resolve("slot" + i));
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    }
  }
}
