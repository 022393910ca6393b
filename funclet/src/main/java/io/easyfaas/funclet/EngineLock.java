package io.easyfaas.funclet;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.config.ConfigException;
import io.easyfaas.common.disk.SmallFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/// The right to be the one engine of a data directory. The kernel takes it back when the process
/// ends, however it ends.
final class EngineLock implements AutoCloseable {
  private final FileChannel channel;
  private final Path directory;

  private EngineLock(FileChannel channel, Path directory) {
    this.channel = channel;
    this.directory = directory;
  }

  /// Takes the lock; the directory is made when it does not exist.
  ///
  /// @throws ConfigException when another engine has it, or the directory cannot be written
  static EngineLock take(Path directory) {
    Path file = directory.resolve(".engine.lock");
    try {
      Files.createDirectories(directory);
      SmallFile.clear(file);
      FileChannel channel =
          FileChannel.open(
              file,
              LinkOption.NOFOLLOW_LINKS,
              StandardOpenOption.CREATE,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE);
      if (!isLocked(channel)) {
        String owner = owner(channel);
        channel.close();
        throw new ConfigException(
            "--data-dir: " + directory + " is in use by another engine (pid " + owner + ")");
      }
      channel.truncate(0);
      channel.write(
          ByteBuffer.wrap(Long.toString(ProcessHandle.current().pid()).getBytes(US_ASCII)), 0);
      return new EngineLock(channel, directory);
    } catch (IOException e) {
      throw new ConfigException(
          "--data-dir: " + file + ": " + e.getMessage() + ". Hint: the engine needs root");
    }
  }

  /// Names the engine in control groups: 8 hexadecimal digits that depend on the directory only, so
  /// that the next engine finds what this one leaves behind.
  String engineId() {
    try {
      byte[] path = directory.toRealPath().toString().getBytes(UTF_8);
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(path);
      return HexFormat.of().formatHex(hash, 0, 4);
    } catch (IOException e) {
      throw new ConfigException("lock of " + directory + ": " + e.getMessage());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new ConfigException("lock of " + directory + ": " + e.getMessage());
    }
  }

  private static boolean isLocked(FileChannel channel) throws IOException {
    try {
      @Nullable FileLock lock = channel.tryLock();
      return lock != null;
    } catch (OverlappingFileLockException _) {
      return false; // Another engine in this very process.
    }
  }

  private static String owner(FileChannel channel) throws IOException {
    ByteBuffer pid = ByteBuffer.allocate(20);
    channel.read(pid, 0);
    String text = new String(pid.array(), 0, pid.position(), US_ASCII).strip();
    return text.isEmpty() ? "unknown" : text;
  }
}
