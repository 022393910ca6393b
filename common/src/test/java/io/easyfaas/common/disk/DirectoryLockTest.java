package io.easyfaas.common.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class DirectoryLockTest {
  @TempDir private Path directory;

  @Test
  void whoComesSecondIsToldWhoIsThereUntilItIsGivenBack() throws IOException {
    Path file = directory.resolve(".lock");
    DirectoryLock lock = DirectoryLock.take(file);

    assertThatExceptionOfType(DirectoryLock.HeldException.class)
        .isThrownBy(() -> DirectoryLock.take(file))
        .withMessage(file + ": in use by process " + ProcessHandle.current().pid());

    lock.close();
    lock.close();
    DirectoryLock.take(file).close();
  }

  @ParameterizedTest
  @EnumSource
  void whateverIsInTheLocksPlaceIsReplaced(Damage damage) throws IOException {
    Path file = directory.resolve(".lock");
    damage.to(file);

    try (DirectoryLock _ = DirectoryLock.take(file)) {
      assertThat(file).isRegularFile();
    }
    assertThat(directory.resolve("nowhere")).doesNotExist();
  }

  @Test
  void nothingStaysOpenWhenTheLockCannotBeTaken() throws IOException {
    Path file = directory.resolve(".lock");
    try (DirectoryLock _ = DirectoryLock.take(file)) {
      long before = openTimes(file);
      assertThatExceptionOfType(DirectoryLock.HeldException.class)
          .isThrownBy(() -> DirectoryLock.take(file));

      assertThat(openTimes(file)).isEqualTo(before);
    }
  }

  @Test
  void whoeverIsRefusedLeavesTheLockToItsHolder() throws IOException {
    Path file = directory.resolve(".lock");
    Path link = Files.createSymbolicLink(directory.resolve("link"), directory);
    try (DirectoryLock _ = DirectoryLock.take(file)) {
      assertThat(isLocked(file)).isTrue();
      for (Path name : List.of(file, link.resolve(".lock"))) {
        assertThatExceptionOfType(DirectoryLock.HeldException.class)
            .isThrownBy(() -> DirectoryLock.take(name));
      }

      assertThat(isLocked(file)).as("locked for other processes").isTrue();
    }
    assertThat(isLocked(file)).isFalse();
  }

  /// Whether the kernel has a lock for the file, see proc_locks(5).
  private static boolean isLocked(Path file) throws IOException {
    String end = ":" + Files.getAttribute(file, "unix:ino") + " 0 EOF";
    try (var locks = Files.lines(Path.of("/proc/locks"))) {
      return locks.anyMatch(lock -> lock.endsWith(end));
    }
  }

  private static long openTimes(Path file) throws IOException {
    try (var descriptors = Files.list(Path.of("/proc/self/fd"))) {
      return descriptors.filter(descriptor -> leadsTo(descriptor, file)).count();
    }
  }

  private static boolean leadsTo(Path descriptor, Path file) {
    try {
      return Files.readSymbolicLink(descriptor).equals(file);
    } catch (IOException _) {
      return false; // It was the listing's own.
    }
  }
}
