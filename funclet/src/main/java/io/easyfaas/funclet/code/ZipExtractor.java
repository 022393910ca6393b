package io.easyfaas.funclet.code;

import io.easyfaas.common.zip.BadZipException;
import io.easyfaas.common.zip.ZipArchive;
import io.easyfaas.common.zip.ZipEntryHeader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Set;

/// Unpacks a code archive into an empty directory.
///
/// Files become 0644, or 0755 when the archive says they are executable; directories 0755, whatever
/// the umask is. Symbolic links are made last, so that nothing is ever written through one.
final class ZipExtractor {
  private static final Set<PosixFilePermission> PLAIN =
      PosixFilePermissions.fromString("rw-r--r--");
  private static final Set<PosixFilePermission> EXECUTABLE =
      PosixFilePermissions.fromString("rwxr-xr-x");

  private ZipExtractor() {}

  /// Unpacks.
  ///
  /// @param target an empty directory; holds a part of the archive after a failure
  /// @throws BadZipException when the archive is damaged
  /// @throws IOException when the target cannot be written
  static void extract(ZipArchive archive, Path target) throws IOException {
    for (String name : archive.directories()) {
      Path directory = Files.createDirectory(target.resolve(name));
      Files.setPosixFilePermissions(directory, EXECUTABLE);
    }
    for (Map.Entry<String, ZipEntryHeader> file : archive.files().entrySet()) {
      Path path = target.resolve(file.getKey());
      try (OutputStream out = Files.newOutputStream(path, StandardOpenOption.CREATE_NEW)) {
        archive.read(file.getKey(), out);
      }
      Files.setPosixFilePermissions(path, file.getValue().isExecutable() ? EXECUTABLE : PLAIN);
    }
    for (Map.Entry<String, String> link : archive.links().entrySet()) {
      Files.createSymbolicLink(target.resolve(link.getKey()), Path.of(link.getValue()));
    }
  }
}
