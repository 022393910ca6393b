package io.easyfaas.stubs.registry;

import static io.easyfaas.stubs.registry.FunctionLimits.invalid;
import static io.easyfaas.stubs.registry.FunctionLimits.quoted;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.wire.ApiException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/// Code packages: what a zip must be to be stored. Every entry is read to its end, so that a
/// package which is accepted can also be unpacked. Pure but for reading the file.
final class CodePackage {
  static final int MAX_ENTRIES = 20_000;
  static final ByteSize MAX_UNPACKED = ByteSize.ofMebibytes(256);

  // Source code packs 3 to 10 times smaller; more than this is made to fill a disk.
  static final int MAX_RATIO = 200;

  // Below this a high ratio does no harm, and a small file of zeros has one.
  private static final ByteSize RATIO_MATTERS_FROM = ByteSize.ofMebibytes(10);

  private static final int BUFFER_BYTES = 64 * 1024;
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

  /// Checks a zip: readable to the last byte, within the limits, and nothing in it that would be
  /// unpacked outside its directory.
  ///
  /// @throws ApiException naming what is wrong
  /// @throws UncheckedIOException when the file cannot be read for another reason
  static void check(Path file) {
    try (ZipFile zip = new ZipFile(file.toFile())) {
      if (zip.size() > MAX_ENTRIES) {
        throw invalid("Code", zip.size() + " entries", "at most " + MAX_ENTRIES);
      }
      List<? extends ZipEntry> entries = Collections.list(zip.entries());
      EntryNames names = new EntryNames();
      entries.forEach(entry -> names.add(entry.getName()));
      names.checkWhole();
      long mostBytes = mostUnpacked(Files.size(file));
      long bytes = 0;
      for (ZipEntry entry : entries) {
        bytes += read(zip, entry, mostBytes - bytes);
      }
    } catch (ZipException | IllegalArgumentException e) {
      throw invalid(
          "Code", "not a zip that can be unpacked: " + e.getMessage(), "a whole zip file");
    } catch (IOException e) {
      throw new UncheckedIOException("read " + file, e);
    }
  }

  private static long mostUnpacked(long packed) {
    long byRatio = Math.max(RATIO_MATTERS_FROM.bytes(), packed * MAX_RATIO);
    return Math.min(MAX_UNPACKED.bytes(), byRatio);
  }

  private static long read(ZipFile zip, ZipEntry entry, long mostBytes) throws IOException {
    CRC32 checksum = new CRC32();
    byte[] buffer = new byte[BUFFER_BYTES];
    long bytes = 0;
    try (InputStream content = zip.getInputStream(entry)) {
      for (int read = content.read(buffer); read >= 0; read = content.read(buffer)) {
        bytes += read;
        checksum.update(buffer, 0, read);
        if (bytes > mostBytes) {
          throw invalid(
              "Code",
              "a zip that unpacks to too much",
              "at most " + MAX_UNPACKED + ", and at most " + MAX_RATIO + " times the zip");
        }
      }
    }
    if (bytes != entry.getSize() || checksum.getValue() != entry.getCrc()) {
      throw new ZipException(quoted(entry.getName()) + " is damaged");
    }
    return bytes;
  }
}
