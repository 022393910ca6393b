package io.easyfaas.cli;

import io.easyfaas.common.config.ConfigException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/// Makes the zip that is uploaded as a function's code. The same files always make the same bytes,
/// so that code which did not change is recognised by its hash.
final class CodePackage {
  private static final LocalDateTime FIXED_TIME = LocalDateTime.of(1980, 1, 1, 0, 0);
  private static final byte[] ZIP_SIGNATURE = {'P', 'K'};

  private CodePackage() {}

  /// Packs a directory, a single file, or takes a zip as it is.
  ///
  /// @throws ConfigException when there is nothing to pack at the path
  static byte[] of(Path source) {
    if (!Files.exists(source)) {
      throw new ConfigException(
          "code: " + source + " does not exist (expected: a directory, a file or a zip)");
    }
    try {
      if (Files.isDirectory(source)) {
        return pack(source, filesBelow(source));
      }
      byte[] bytes = Files.readAllBytes(source);
      boolean isZip =
          bytes.length > 2 && bytes[0] == ZIP_SIGNATURE[0] && bytes[1] == ZIP_SIGNATURE[1];
      return isZip ? bytes : pack(parent(source), List.of(source.toAbsolutePath()));
    } catch (IOException e) {
      throw new UncheckedIOException("pack " + source, e);
    }
  }

  private static List<Path> filesBelow(Path directory) throws IOException {
    try (Stream<Path> tree = Files.walk(directory)) {
      List<Path> files = tree.filter(Files::isRegularFile).sorted().toList();
      if (files.isEmpty()) {
        throw new ConfigException("code: " + directory + " has no files");
      }
      return files;
    }
  }

  private static byte[] pack(Path root, List<Path> files) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      for (Path file : files) {
        ZipEntry entry = new ZipEntry(root.relativize(file).toString());
        entry.setTimeLocal(FIXED_TIME);
        zip.putNextEntry(entry);
        Files.copy(file, zip);
        zip.closeEntry();
      }
    }
    return bytes.toByteArray();
  }

  private static Path parent(Path file) {
    Path parent = file.toAbsolutePath().getParent();
    return parent == null ? Path.of("/") : parent;
  }
}
