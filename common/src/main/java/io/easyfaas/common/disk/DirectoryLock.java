package io.easyfaas.common.disk;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.file.LinkOption.NOFOLLOW_LINKS;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;

/// The right to use a directory, held by at most one part of one engine. The kernel takes it back
/// when the process ends, however it ends. Thread-safe.
public final class DirectoryLock implements AutoCloseable {
  private static final int MAX_HOLDER_BYTES = 64;

  /// Another one has the lock.
  public static final class HeldException extends IOException {
    private final String holder;

    private HeldException(Path file, String holder) {
      super(file + ": in use by process " + holder);
      this.holder = holder;
    }

    /// The process id of who has it, or `(unknown)`.
    public String holder() {
      return holder;
    }
  }

  private final FileChannel channel;

  private DirectoryLock(FileChannel channel) {
    this.channel = channel;
  }

  /// Takes the lock, or fails at once.
  ///
  /// @param file the lock's own, in the directory; whatever else is in its place is removed. It
  ///   stays there after the lock
  /// @throws HeldException when another one has it, in this process or in any other
  /// @throws IOException when the file cannot be made or written
  public static DirectoryLock take(Path file) throws IOException {
    SmallFile.clear(file);
    FileChannel channel = FileChannel.open(file, CREATE, READ, WRITE, NOFOLLOW_LINKS);
    try {
      if (!isLocked(channel)) {
        throw new HeldException(file, holder(channel));
      }
      channel.truncate(0);
      channel.write(US_ASCII.encode(Long.toString(ProcessHandle.current().pid())), 0);
      return new DirectoryLock(channel);
    } catch (Throwable e) { // What is not returned is nobody's to close.
      channel.close();
      throw e;
    }
  }

  /// Gives it back. Safe to call twice.
  @Override
  public void close() throws IOException {
    channel.close();
  }

  private static boolean isLocked(FileChannel channel) throws IOException {
    try {
      return channel.tryLock() != null;
    } catch (OverlappingFileLockException _) {
      return false; // This very process has it.
    }
  }

  private static String holder(FileChannel channel) throws IOException {
    ByteBuffer pid = ByteBuffer.allocate(MAX_HOLDER_BYTES);
    channel.read(pid, 0);
    String text = US_ASCII.decode(pid.flip()).toString().strip();
    return text.isEmpty() ? "(unknown)" : text;
  }
}
