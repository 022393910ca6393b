package io.easyfaas.common.disk;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A line or two that the engine wrote for itself and reads again after a restart. A crash or
/// somebody's hand may have left anything in its place, and the engine must start all the same:
/// what cannot be read is named in the log and taken as not there.
///
/// @param path where it is
public record SmallFile(Path path) {
  private static final Logger LOG = LoggerFactory.getLogger(SmallFile.class);
  private static final int MAX_BYTES = 1 << 20; // More was not written by the engine.

  /// Its text; empty when there is none, or what is there is no such file, which is logged.
  public Optional<String> read() {
    if (!Files.exists(path, NOFOLLOW_LINKS)) {
      return Optional.empty();
    }
    try {
      return Optional.of(text());
    } catch (IOException e) {
      LOG.warn("{} is left out: {}", path, e.toString());
      return Optional.empty();
    }
  }

  /// Writes it, instead of whatever is there; does nothing when that is the same text, so that it
  /// needs no room then.
  ///
  /// @throws IOException when it cannot be written; what was there is still there, unless it was no
  ///   file
  public void replace(String text) throws IOException {
    if (isText(text)) {
      return;
    }
    clear(path);
    Path successor = path.resolveSibling(path.getFileName() + ".new");
    DiskTree.delete(successor);
    try (FileChannel file =
        FileChannel.open(
            successor, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE))) {
      ByteBuffer bytes = UTF_8.encode(text);
      while (bytes.hasRemaining()) {
        file.write(bytes);
      }
    }
    Files.move(successor, path, StandardCopyOption.ATOMIC_MOVE);
  }

  /// Removes what is in the place of a regular file, if it is anything else.
  ///
  /// @throws IOException when it cannot be removed
  public static void clear(Path path) throws IOException {
    if (Files.exists(path, NOFOLLOW_LINKS) && !Files.isRegularFile(path, NOFOLLOW_LINKS)) {
      LOG.warn("{} is no file of the engine's: removed", path);
      DiskTree.delete(path);
    }
  }

  private boolean isText(String text) {
    try {
      return text().equals(text);
    } catch (IOException _) {
      return false; // There is none, or it is no such file.
    }
  }

  private String text() throws IOException {
    return UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes())).toString();
  }

  /// What it contains. Never waits, as for who writes into a pipe, and never reads without end.
  ///
  /// @throws IOException when it cannot be read, or is no regular file, or larger than 1 MiB
  public byte[] bytes() throws IOException {
    if (!Files.isRegularFile(path, NOFOLLOW_LINKS) || Files.size(path) > MAX_BYTES) {
      throw new IOException("no file of the engine's");
    }
    return Files.readAllBytes(path);
  }
}
