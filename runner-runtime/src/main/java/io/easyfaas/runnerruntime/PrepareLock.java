package io.easyfaas.runnerruntime;

import io.easyfaas.common.config.ConfigException;
import io.easyfaas.common.disk.DiskTree;
import io.easyfaas.common.disk.SmallFile;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;

/// The right to lay out things in a data directory, and a scratch directory there. The kernel takes
/// the right back when the process ends, however it ends; what it left behind is deleted by the
/// next one that has the right.
final class PrepareLock implements AutoCloseable {
  /// Copying an interpreter to a slow disk takes seconds.
  private static final Duration PATIENCE = Duration.ofMinutes(1);

  private static final Duration PAUSE = Duration.ofMillis(50);

  private final FileChannel channel;
  private final Path scratch;

  private PrepareLock(FileChannel channel, Path scratch) {
    this.channel = channel;
    this.scratch = scratch;
  }

  /// Waits for the right and takes it.
  ///
  /// @throws ConfigException when somebody else keeps it
  /// @throws IOException when the data directory cannot be written
  static PrepareLock take(Path dataDirectory) throws IOException {
    Path scratch = dataDirectory.resolve(".prepare");
    Path lock = dataDirectory.resolve(".prepare.lock");
    SmallFile.clear(lock);
    FileChannel channel =
        FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      await(channel, dataDirectory);
      DiskTree.delete(scratch);
      Files.createDirectory(scratch);
      return new PrepareLock(channel, scratch);
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private static void await(FileChannel channel, Path dataDirectory) throws IOException {
    long start = System.nanoTime();
    while (!isTaken(channel)) {
      if (System.nanoTime() - start > PATIENCE.toNanos()) {
        throw new ConfigException(
            "--data-dir: " + dataDirectory + " is being prepared by another process");
      }
      try {
        Thread.sleep(PAUSE);
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted while another process prepares " + dataDirectory);
      }
    }
  }

  private static boolean isTaken(FileChannel channel) throws IOException {
    try {
      return channel.tryLock() != null;
    } catch (OverlappingFileLockException _) {
      return false; // Another thread of this process has it.
    }
  }

  /// An empty directory on the data directory's file system, for who has the right.
  Path scratch() {
    return scratch;
  }

  @Override
  public void close() throws IOException {
    try (channel) {
      DiskTree.delete(scratch);
    }
  }
}
