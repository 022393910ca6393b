package io.easyfaas.stubs.store;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.nio.file.LinkOption.NOFOLLOW_LINKS;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import io.easyfaas.common.disk.SmallFile;
import io.easyfaas.common.wire.ErrorCode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;

/// The right to write into a directory, held by at most one process and one store in it. The kernel
/// lets go of it when the process ends, however it ends.
final class DirectoryLock implements AutoCloseable {
  private static final int MAX_HOLDER_BYTES = 64;

  private final FileChannel channel;

  private DirectoryLock(FileChannel channel) {
    this.channel = channel;
  }

  /// Takes the lock, or fails at once.
  ///
  /// @throws StoreException when another one holds it, or the file cannot be opened
  static DirectoryLock take(Path directory) {
    Path file = directory.resolve(".lock");
    try {
      SmallFile.clear(file);
      FileChannel channel = FileChannel.open(file, CREATE, READ, WRITE, NOFOLLOW_LINKS);
      try {
        if (lock(channel)) {
          channel.truncate(0);
          channel.write(UTF_8.encode(Long.toString(ProcessHandle.current().pid())), 0);
          return new DirectoryLock(channel);
        }
        throw new StoreException(
            ErrorCode.UNAVAILABLE,
            "function directory "
                + directory
                + ": in use by process "
                + holder(channel)
                + ". Hint: give each engine its own --data-dir or --function-dir",
            null);
      } catch (IOException | StoreException e) {
        channel.close();
        throw e;
      }
    } catch (IOException e) {
      throw new StoreException(ErrorCode.UNAVAILABLE, "lock " + file + ": " + e, e);
    }
  }

  private static boolean lock(FileChannel channel) throws IOException {
    try {
      FileLock lock = channel.tryLock();
      return lock != null;
    } catch (OverlappingFileLockException _) {
      return false; // Another store of this process has it.
    }
  }

  private static String holder(FileChannel channel) throws IOException {
    ByteBuffer pid = ByteBuffer.allocate(MAX_HOLDER_BYTES);
    channel.read(pid, 0);
    String text = UTF_8.decode(pid.flip()).toString().strip();
    return text.isEmpty() ? "(unknown)" : text;
  }

  /// Lets go. Safe to call twice.
  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new StoreException(ErrorCode.SERVICE, "unlock: " + e, e);
    }
  }
}
