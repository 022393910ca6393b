package io.easyfaas.common.disk;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.file.LinkOption.NOFOLLOW_LINKS;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

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

  // The locks' files that this process has: to open one once more and close that again would give
  // its lock back, see fcntl_locking(2).
  private static final Set<Path> TAKEN = ConcurrentHashMap.newKeySet();

  private final FileChannel channel;
  private final Path place;

  private DirectoryLock(FileChannel channel, Path place) {
    this.channel = channel;
    this.place = place;
  }

  /// Takes the lock, or fails at once.
  ///
  /// @param file the lock's own, in the directory; whatever else is in its place is removed. It
  ///   stays there after the lock
  /// @throws HeldException when another one has it, in this process or in any other
  /// @throws IOException when the file cannot be made or written
  public static DirectoryLock take(Path file) throws IOException {
    Path directory = requireNonNull(file.toAbsolutePath().getParent());
    Path place = directory.toRealPath().resolve(file.getFileName());
    if (!TAKEN.add(place)) {
      throw new HeldException(file, ownId());
    }
    try {
      SmallFile.clear(file);
      return new DirectoryLock(lock(file), place);
    } catch (Throwable e) {
      TAKEN.remove(place);
      throw e;
    }
  }

  private static FileChannel lock(Path file) throws IOException {
    FileChannel channel = FileChannel.open(file, CREATE, READ, WRITE, NOFOLLOW_LINKS);
    try {
      if (channel.tryLock() == null) {
        throw new HeldException(file, holder(channel));
      }
      channel.truncate(0);
      channel.write(US_ASCII.encode(ownId()), 0);
      return channel;
    } catch (Throwable e) { // What is not returned is nobody's to close.
      channel.close();
      throw e;
    }
  }

  /// Gives it back. Safe to call twice.
  @Override
  public synchronized void close() throws IOException {
    if (channel.isOpen()) {
      try {
        channel.close();
      } finally {
        TAKEN.remove(place);
      }
    }
  }

  private static String ownId() {
    return Long.toString(ProcessHandle.current().pid());
  }

  private static String holder(FileChannel channel) throws IOException {
    ByteBuffer pid = ByteBuffer.allocate(MAX_HOLDER_BYTES);
    channel.read(pid, 0);
    String text = US_ASCII.decode(pid.flip()).toString().strip();
    return text.isEmpty() ? "(unknown)" : text;
  }
}
