package io.easyfaas.controller.userlog;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import io.easyfaas.common.disk.DiskTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Set;

/// A directory that nobody but this process's user can write to, by the name that leads to it.
///
/// Where others can put a link or a directory in place of ours, as below `/tmp`, a tenant's output
/// would be written wherever they like.
final class LogDirectory {
  private static final FileAttribute<Set<PosixFilePermission>> MODE =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-x---"));
  private static final int STICKY = 01000; // Only the owner of a file may rename or remove it.
  private static final int WRITABLE_FOR_GROUP = 0020;
  private static final int WRITABLE_FOR_OTHERS = 0002;

  private LogDirectory() {}

  /// Makes the directory with its parents, where they are missing, and checks who can write to it.
  ///
  /// @throws IOException when it cannot be made, is a link, or can be changed by others
  static void make(Path directory) throws IOException {
    Path absolute = directory.toAbsolutePath().normalize();
    Path parent = absolute.getParent();
    if (parent == null) {
      throw new IOException(absolute + " (expected: a directory of its own)");
    }
    Files.createDirectories(parent, MODE);
    int user = (int) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
    Path above = Path.of("/");
    boolean isOpen = false;
    for (Path step : parent.toRealPath()) {
      above = above.resolve(step);
      isOpen = checkAbove(above, user, isOpen);
    }
    if (!Files.exists(absolute, NOFOLLOW_LINKS)) {
      Files.createDirectory(absolute, MODE);
    }
    Owned found = Owned.of(absolute);
    if (found.user != user
        || !found.isDirectory
        || found.has(WRITABLE_FOR_GROUP | WRITABLE_FOR_OTHERS)) {
      throw new IOException(
          absolute
              + " (expected: a directory, no link, of user "
              + user
              + ", writable for nobody else). Hint: set --userlog-filepath");
    }
  }

  /// Makes a directory in one that was checked, in place of whatever else is there.
  static void makeWithin(Path directory) throws IOException {
    if (!Files.isDirectory(directory, NOFOLLOW_LINKS)) {
      DiskTree.delete(directory);
      Files.createDirectory(directory, MODE);
    }
  }

  /// In a directory that is open to everybody, as `/tmp` is, a directory of somebody else is a
  /// trap.
  ///
  /// @param isParentOpen whether everybody may make files beside it
  /// @return whether everybody may make files in it
  private static boolean checkAbove(Path path, int user, boolean isParentOpen) throws IOException {
    Owned found = Owned.of(path);
    boolean isOpen = found.has(WRITABLE_FOR_OTHERS);
    if ((isOpen && !found.has(STICKY)) || (isParentOpen && found.user != user && found.user != 0)) {
      throw new IOException(path + " can be replaced by others. Hint: set --userlog-filepath");
    }
    return isOpen;
  }

  private record Owned(int user, int mode, boolean isDirectory) {
    static Owned of(Path path) throws IOException {
      Map<String, Object> found =
          Files.readAttributes(path, "unix:uid,mode,isDirectory", NOFOLLOW_LINKS);
      return new Owned(
          (int) found.getOrDefault("uid", -1),
          (int) found.getOrDefault("mode", -1),
          (boolean) found.getOrDefault("isDirectory", false));
    }

    boolean has(int bits) {
      return (mode & bits) != 0;
    }
  }
}
