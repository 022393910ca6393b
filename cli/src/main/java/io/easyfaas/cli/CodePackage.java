package io.easyfaas.cli;

import static java.nio.file.StandardOpenOption.TRUNCATE_EXISTING;
import static java.nio.file.StandardOpenOption.WRITE;

import io.easyfaas.common.config.ConfigException;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/// The zip that is uploaded as a function's code: a file, since it may be larger than the memory.
/// The same files always make the same bytes, so that code which did not change is recognised by
/// its hash.
///
/// @param file the zip
/// @param isTemporary whether it was made here; closing removes it then, at the latest the end of
///   the process
record CodePackage(Path file, boolean isTemporary) implements AutoCloseable {
  private static final LocalDateTime FIXED_TIME = LocalDateTime.of(1980, 1, 1, 0, 0);
  private static final byte[] ZIP_SIGNATURE = {'P', 'K'};

  /// Packs a directory, a single file, or takes a zip as it is.
  ///
  /// @throws ConfigException when there is nothing to pack at the path
  static CodePackage of(Path source) {
    if (!Files.exists(source)) {
      throw new ConfigException(
          "code: " + source + " does not exist (expected: a directory, a file or a zip)");
    }
    try {
      if (Files.isDirectory(source)) {
        return pack(source, filesBelow(source));
      }
      return isZip(source)
          ? new CodePackage(source, false)
          : pack(parent(source), List.of(source.toAbsolutePath()));
    } catch (IOException e) {
      throw new UncheckedIOException("pack " + source, e);
    }
  }

  /// Bytes of the zip.
  long size() {
    try {
      return Files.size(file);
    } catch (IOException e) {
      throw new UncheckedIOException("look at " + file, e);
    }
  }

  /// Removes the file, if it was made here. Safe to call twice.
  @Override
  public void close() {
    if (isTemporary) {
      discard(file);
    }
  }

  private static boolean isZip(Path file) throws IOException {
    try (InputStream content = Files.newInputStream(file)) {
      return Arrays.equals(content.readNBytes(ZIP_SIGNATURE.length), ZIP_SIGNATURE);
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

  private static CodePackage pack(Path root, List<Path> files) throws IOException {
    Path packed = Files.createTempFile("easyfaas-code-", ".zip");
    packed.toFile().deleteOnExit(); // For who presses Ctrl-C.
    try (ZipOutputStream zip =
        new ZipOutputStream(
            new BufferedOutputStream(Files.newOutputStream(packed, WRITE, TRUNCATE_EXISTING)))) {
      for (Path file : files) {
        ZipEntry entry = new ZipEntry(root.relativize(file).toString());
        entry.setTimeLocal(FIXED_TIME);
        zip.putNextEntry(entry);
        Files.copy(file, zip);
        zip.closeEntry();
      }
    } catch (IOException e) {
      discard(packed);
      throw e;
    }
    return new CodePackage(packed, true);
  }

  private static void discard(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw new UncheckedIOException("remove " + file, e);
    }
  }

  private static Path parent(Path file) {
    Path parent = file.toAbsolutePath().getParent();
    return parent == null ? Path.of("/") : parent;
  }
}
