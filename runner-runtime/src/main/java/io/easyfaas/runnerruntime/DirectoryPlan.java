package io.easyfaas.runnerruntime;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import io.easyfaas.common.disk.DiskTree;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;

/// What a directory is to contain, and how it comes about.
///
/// Sandboxes that have the directory mounted may be running all the while. So a file is never
/// changed: its successor is written elsewhere and renamed over it, and who has the old one open
/// keeps it. A directory that does not exist yet appears whole. What is right already is left
/// alone, which makes carrying out a plan twice, or once more after a crash, the same as once.
///
/// Not thread-safe.
final class DirectoryPlan {
  private static final Set<PosixFilePermission> FILE_MODE =
      PosixFilePermissions.fromString("rw-r--r--");
  private static final Set<PosixFilePermission> DIRECTORY_MODE =
      PosixFilePermissions.fromString("rwxr-xr-x");

  private sealed interface Entry {}

  private record Directory(Set<PosixFilePermission> mode) implements Entry {}

  private record Symlink(Path target) implements Entry {}

  private record Copy(Path source) implements Entry {}

  private record Shared(Path source) implements Entry {}

  private static final class Content implements Entry {
    private final byte[] bytes;

    Content(byte[] bytes) {
      this.bytes = bytes;
    }
  }

  /// By path below the directory. A directory sorts before what it contains.
  private final NavigableMap<String, Entry> entries = new TreeMap<>();

  /// A directory, with its parents, that anyone may read.
  DirectoryPlan directory(String path) {
    if (!(entries.get(path) instanceof Directory)) {
      put(path, new Directory(DIRECTORY_MODE));
    }
    return this;
  }

  /// A symbolic link.
  DirectoryPlan symlink(String path, Path target) {
    return put(path, new Symlink(target));
  }

  /// A file that anyone may read.
  DirectoryPlan file(String path, byte[] content) {
    return put(path, new Content(content.clone()));
  }

  /// A text file that anyone may read.
  DirectoryPlan file(String path, String content) {
    return put(path, new Content(content.getBytes(StandardCharsets.UTF_8)));
  }

  /// A copy of a file, with its mode and its time of modification, by which the next run knows that
  /// it is up to date.
  ///
  /// @param source a file, or a symbolic link to one
  DirectoryPlan copy(String path, Path source) throws IOException {
    return put(path, new Copy(source.toRealPath()));
  }

  /// A copy of a directory and what is in it. Symbolic links are copied as links; devices, sockets
  /// and pipes are left out.
  ///
  /// @param isWanted asked for everything below the source; a directory that is not wanted is left
  ///   out with all it contains
  DirectoryPlan copyTree(String path, Path source, Predicate<Path> isWanted) throws IOException {
    return addTree(path, source, isWanted, false);
  }

  /// Like {@link #copyTree}, but files on the same file system are shared by a hard link.
  DirectoryPlan shareTree(String path, Path source, Predicate<Path> isWanted) throws IOException {
    return addTree(path, source, isWanted, true);
  }

  private DirectoryPlan addTree(
      String path, Path source, Predicate<Path> isWanted, boolean isShared) throws IOException {
    Files.walkFileTree(
        source,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes)
              throws IOException {
            boolean isRoot = directory.equals(source);
            if (!isRoot && !isWanted.test(directory)) {
              return FileVisitResult.SKIP_SUBTREE;
            }
            String name = nameOf(directory);
            if (!name.isEmpty()) {
              put(name, new Directory(modeOf(directory)));
            }
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            if (!isWanted.test(file)) {
              return FileVisitResult.CONTINUE;
            }
            if (attributes.isSymbolicLink()) {
              symlink(nameOf(file), Files.readSymbolicLink(file));
            } else if (attributes.isRegularFile()) {
              put(nameOf(file), isShared ? new Shared(file) : new Copy(file));
            }
            return FileVisitResult.CONTINUE;
          }

          private String nameOf(Path found) {
            String below = source.relativize(found).toString();
            return path.isEmpty() || below.isEmpty() ? path + below : path + "/" + below;
          }
        });
    return this;
  }

  /// Whether there is an entry, of whatever kind.
  boolean contains(String path) {
    return entries.containsKey(path);
  }

  private DirectoryPlan put(String path, Entry entry) {
    if (path.isEmpty() || path.startsWith("/") || path.endsWith("/")) {
      throw new IllegalArgumentException(
          "path: \"" + path + "\" (expected: relative, without a slash at its end)");
    }
    int slash = path.lastIndexOf('/');
    if (slash > 0) {
      directory(path.substring(0, slash));
    }
    if (!(entry instanceof Directory)) {
      entries.subMap(path + '/', path + (char) ('/' + 1)).clear();
    }
    entries.put(path, entry);
    return this;
  }

  /// Makes the directory what the plan says.
  ///
  /// @param target need not exist; its parent has to
  /// @param scratch an empty directory on the target's file system, used by nobody else; emptied
  ///   again at the end
  void carryOut(Path target, Path scratch) throws IOException {
    if (Files.exists(target, NOFOLLOW_LINKS)) {
      bringUpToDate(target, scratch);
      return;
    }
    Path fresh = Files.createDirectory(scratch.resolve("directory"));
    setMode(fresh, DIRECTORY_MODE);
    for (var planned : entries.entrySet()) {
      make(fresh.resolve(planned.getKey()), planned.getValue());
    }
    Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE);
  }

  private void bringUpToDate(Path target, Path scratch) throws IOException {
    Path successor = scratch.resolve("successor");
    bringUpToDate(target, new Directory(DIRECTORY_MODE), successor);
    for (var planned : entries.entrySet()) {
      bringUpToDate(target.resolve(planned.getKey()), planned.getValue(), successor);
    }
    deleteUnplanned(target);
  }

  private static void bringUpToDate(Path path, Entry entry, Path successor) throws IOException {
    if (isMade(path, entry)) {
      correctMode(path, entry);
      return;
    }
    make(successor, entry);
    if (Files.isDirectory(path, NOFOLLOW_LINKS)) {
      DiskTree.delete(path);
    }
    if (entry instanceof Directory) {
      Files.deleteIfExists(path); // A directory cannot take the place of anything else.
    }
    Files.move(successor, path, StandardCopyOption.ATOMIC_MOVE);
  }

  /// Whether it is there, whatever its mode is.
  private static boolean isMade(Path path, Entry entry) throws IOException {
    return switch (entry) {
      case Directory _ -> Files.isDirectory(path, NOFOLLOW_LINKS);
      case Symlink(var destination) ->
          Files.isSymbolicLink(path) && Files.readSymbolicLink(path).equals(destination);
      case Content content ->
          Files.isRegularFile(path, NOFOLLOW_LINKS)
              && Arrays.equals(Files.readAllBytes(path), content.bytes);
      case Copy(var source) -> isCopyOf(path, source);
      case Shared(var source) -> isCopyOf(path, source);
    };
  }

  /// Makes it where nothing is.
  private static void make(Path path, Entry entry) throws IOException {
    switch (entry) {
      case Directory _ -> Files.createDirectory(path);
      case Symlink(var destination) -> Files.createSymbolicLink(path, destination);
      case Content content -> Files.write(path, content.bytes);
      case Copy(var source) -> Files.copy(source, path, StandardCopyOption.COPY_ATTRIBUTES);
      case Shared(var source) -> {
        try {
          Files.createLink(path, source);
        } catch (IOException | UnsupportedOperationException _) {
          // Another file system, or one without hard links, or too many links already.
          Files.copy(source, path, StandardCopyOption.COPY_ATTRIBUTES);
        }
      }
    }
    correctMode(path, entry);
  }

  /// Gives what has no other file's mode its own.
  private static void correctMode(Path path, Entry entry) throws IOException {
    switch (entry) {
      case Directory(var mode) -> setMode(path, mode);
      case Content _ -> setMode(path, FILE_MODE);
      case Symlink _, Copy _, Shared _ -> {}
    }
  }

  private static boolean isCopyOf(Path path, Path source) throws IOException {
    if (!Files.isRegularFile(path, NOFOLLOW_LINKS)) {
      return false;
    }
    PosixFileAttributes copy = attributesOf(path);
    PosixFileAttributes original = attributesOf(source);
    return copy.size() == original.size()
        && copy.lastModifiedTime().equals(original.lastModifiedTime())
        && copy.permissions().equals(original.permissions());
  }

  private void deleteUnplanned(Path target) throws IOException {
    Files.walkFileTree(
        target,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes)
              throws IOException {
            if (directory.equals(target) || isPlanned(directory)) {
              return FileVisitResult.CONTINUE;
            }
            DiskTree.delete(directory);
            return FileVisitResult.SKIP_SUBTREE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            if (!isPlanned(file)) {
              Files.delete(file);
            }
            return FileVisitResult.CONTINUE;
          }

          private boolean isPlanned(Path path) {
            return entries.containsKey(target.relativize(path).toString());
          }
        });
  }

  /// Sets a mode whatever the umask is.
  private static void setMode(Path path, Set<PosixFilePermission> mode) throws IOException {
    if (!modeOf(path).equals(mode)) {
      Files.setPosixFilePermissions(path, mode);
    }
  }

  private static Set<PosixFilePermission> modeOf(Path path) throws IOException {
    return attributesOf(path).permissions();
  }

  private static PosixFileAttributes attributesOf(Path path) throws IOException {
    return Files.readAttributes(path, PosixFileAttributes.class, NOFOLLOW_LINKS);
  }
}
