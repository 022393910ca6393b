package io.easyfaas.runnerruntime;

import io.easyfaas.common.config.ConfigException;
import io.easyfaas.common.disk.DirectoryLock;
import io.easyfaas.common.disk.DiskTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/// The right to lay out things in a data directory, and a scratch directory there. The kernel takes
/// the right back when the process ends, however it ends; what it left behind is deleted by the
/// next one that has the right.
final class PrepareLock implements AutoCloseable {
  /// Copying an interpreter to a slow disk takes seconds.
  private static final Duration PATIENCE = Duration.ofMinutes(1);

  private static final Duration PAUSE = Duration.ofMillis(50);

  private final DirectoryLock lock;
  private final Path scratch;

  private PrepareLock(DirectoryLock lock, Path scratch) {
    this.lock = lock;
    this.scratch = scratch;
  }

  /// Waits for the right and takes it.
  ///
  /// @throws ConfigException when somebody else keeps it
  /// @throws IOException when the data directory cannot be written
  static PrepareLock take(Path dataDirectory) throws IOException {
    Path scratch = dataDirectory.resolve(".prepare");
    DirectoryLock lock = await(dataDirectory);
    try {
      DiskTree.delete(scratch);
      Files.createDirectory(scratch);
      return new PrepareLock(lock, scratch);
    } catch (IOException | RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  private static DirectoryLock await(Path dataDirectory) throws IOException {
    long start = System.nanoTime();
    while (true) {
      try {
        return DirectoryLock.take(dataDirectory.resolve(".prepare.lock"));
      } catch (DirectoryLock.HeldException e) {
        if (System.nanoTime() - start > PATIENCE.toNanos()) {
          throw new ConfigException(
              "--data-dir: " + dataDirectory + " is being prepared by process " + e.holder());
        }
      }
      try {
        Thread.sleep(PAUSE);
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted while another process prepares " + dataDirectory);
      }
    }
  }

  /// An empty directory on the data directory's file system, for who has the right.
  Path scratch() {
    return scratch;
  }

  @Override
  public void close() throws IOException {
    try (lock) {
      DiskTree.delete(scratch);
    }
  }
}
