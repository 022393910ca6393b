package io.easyfaas.funclet.cgroup;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.OptionalLong;

/// One control file of the kernel.
///
/// @param path where it is
record ControlFile(Path path) {
  static ControlFile in(Path group, String name) {
    return new ControlFile(group.resolve(name));
  }

  boolean exists() {
    return Files.exists(path);
  }

  String read() {
    try {
      return Files.readString(path, US_ASCII).strip();
    } catch (IOException e) {
      throw new CgroupException("read " + path + ": " + reason(e), e);
    }
  }

  /// A number, or the largest one for `max` and `-1`.
  long readLong() {
    String text = read();
    if (text.equals("max") || text.equals("-1")) {
      return Long.MAX_VALUE;
    }
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException e) {
      throw new CgroupException("read " + path + ": \"" + text + "\" (expected: a number)", e);
    }
  }

  /// The number after a key in a file of `key number` lines; empty when there is no such key.
  OptionalLong readKey(String key) {
    return read()
        .lines()
        .filter(line -> line.startsWith(key + " "))
        .mapToLong(line -> Long.parseLong(line.substring(key.length() + 1).strip()))
        .findFirst();
  }

  /// Writes in one call, as the kernel wants it; the file has to exist.
  void write(String value) {
    try {
      tryWrite(value);
    } catch (IOException e) {
      throw new CgroupException("write \"" + value + "\" to " + path + ": " + reason(e), e);
    }
  }

  void tryWrite(String value) throws IOException {
    try (FileChannel channel =
        FileChannel.open(path, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
      channel.write(ByteBuffer.wrap(value.getBytes(US_ASCII)));
    }
  }

  /// What went wrong, without the path that `java.nio` puts in front of it.
  private static String reason(IOException failure) {
    return switch (failure) {
      case NoSuchFileException _ -> "no such file";
      case ClosedByInterruptException _ -> "interrupted";
      case FileSystemException other when other.getReason() != null -> other.getReason();
      default -> String.valueOf(failure.getMessage());
    };
  }
}
