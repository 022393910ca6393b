package io.easyfaas.stubs.store;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.slf4j.LoggerFactory;

/// The writes the store is made of, and its listings. An interface so that tests can fill the disk,
/// pull the plug between any two writes, and count what is looked at. Thread-safe.
interface Disk {
  /// Makes a directory, and its parents; does nothing when it is there. Not durable before {@link
  /// #sync} of the parent.
  void createDirectories(Path directory) throws IOException;

  /// Writes a new file; its content is durable on return, its name is not.
  void write(Path file, byte[] content) throws IOException;

  /// Opens a new file for what is too large to be in memory; neither its content nor its name is
  /// durable.
  FileChannel create(Path file) throws IOException;

  /// Makes a file's content durable.
  void sync(FileChannel file) throws IOException;

  /// Gives a file a second name on the same file system; copies it where that is not possible. Not
  /// durable before {@link #sync} of the directory. Either the whole file has the name or there is
  /// none.
  void link(Path existing, Path name) throws IOException;

  /// Renames a file or directory atomically; an existing file of the new name is replaced. Not
  /// durable before {@link #sync} of the directories.
  void move(Path from, Path to) throws IOException;

  /// Removes a file or an empty directory; does nothing when there is none.
  void delete(Path path) throws IOException;

  /// Makes durable which names a directory has, see fsync(2).
  void sync(Path directory) throws IOException;

  /// What is in a directory, sorted.
  default List<Path> children(Path directory) throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.sorted().toList();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  /// Removes a file or a directory with everything below it; does nothing when there is none. A
  /// link is not followed.
  default void deleteTree(Path tree) throws IOException {
    if (Files.isDirectory(tree, NOFOLLOW_LINKS)) {
      for (Path child : children(tree)) {
        deleteTree(child);
      }
    }
    delete(tree);
  }

  /// Removes what is of no use any more, as {@link #deleteTree}; a failure is only logged.
  default void discard(Path tree) {
    try {
      deleteTree(tree);
    } catch (IOException e) {
      LoggerFactory.getLogger(Disk.class)
          .warn("remove {}: {}; the next start does it", tree, e.toString());
    }
  }
}
