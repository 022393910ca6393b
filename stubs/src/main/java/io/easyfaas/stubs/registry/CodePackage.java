package io.easyfaas.stubs.registry;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.zip.BadZipException;
import io.easyfaas.common.zip.ZipArchive;
import io.easyfaas.common.zip.ZipLimits;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/// Code packages: what a zip must be to be stored. Every entry is read to its end, so that a
/// package which is accepted can also be unpacked. Pure but for reading the file.
final class CodePackage {
  private static final LocalDateTime FIXED_TIME = LocalDateTime.of(2020, 1, 1, 0, 0);

  private CodePackage() {}

  /// The package of a function that is created without code: it answers `Hello world!`, in Node.js
  /// and in Python. The same bytes every time.
  static byte[] helloWorld() {
    Map<String, String> sources = new LinkedHashMap<>();
    sources.put(
        "index.js",
        """
        exports.handler = (event, context, callback) => callback(null, 'Hello world!');
        """);
    sources.put(
        "index.py",
        """
        def handler(event, context):
            return 'Hello world!'
        """);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      for (Map.Entry<String, String> source : sources.entrySet()) {
        ZipEntry entry = new ZipEntry(source.getKey());
        entry.setTimeLocal(FIXED_TIME);
        zip.putNextEntry(entry);
        zip.write(source.getValue().getBytes(UTF_8));
        zip.closeEntry();
      }
    } catch (IOException e) {
      throw new UncheckedIOException("write to memory", e);
    }
    return bytes.toByteArray();
  }

  /// What a zip's directory claims that its files have together.
  ///
  /// @return bytes
  /// @throws ApiException naming what is wrong
  /// @throws UncheckedIOException when the file cannot be read for another reason
  static long unpackedBytes(Path file) {
    return read(file, () -> ZipArchive.claimedBytes(file, ZipLimits.STANDARD));
  }

  /// Checks a zip: all of its directory, and every file to its end, with the reader that unpacks it
  /// later.
  ///
  /// @throws ApiException naming what is wrong
  /// @throws UncheckedIOException when the file cannot be read for another reason
  static void check(Path file) {
    boolean _ =
        read(
            file,
            () -> {
              try (ZipArchive zip = ZipArchive.open(file, ZipLimits.STANDARD)) {
                zip.verify();
                return true;
              }
            });
  }

  @FunctionalInterface
  private interface Reading<T> {
    T read() throws IOException;
  }

  private static <T> T read(Path file, Reading<T> reading) {
    try {
      return reading.read();
    } catch (BadZipException e) {
      throw new ApiException(ErrorCode.INVALID_PARAMETER, "Code: the zip " + e.getMessage());
    } catch (IOException e) {
      throw new UncheckedIOException("read " + file, e);
    }
  }
}
