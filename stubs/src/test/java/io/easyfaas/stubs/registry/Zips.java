package io.easyfaas.stubs.registry;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/// Code packages for tests.
final class Zips {
  private Zips() {}

  /// A zip with these entries, each with its own name as content; a name that ends in a slash is a
  /// directory.
  static byte[] of(String... names) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      for (String name : names) {
        zip.putNextEntry(new ZipEntry(name));
        if (!name.endsWith("/")) {
          zip.write(name.getBytes(UTF_8));
        }
        zip.closeEntry();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  /// A zip with one file of zeros.
  static byte[] ofZeros(long length) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      zip.putNextEntry(new ZipEntry("zeros"));
      byte[] block = new byte[1 << 20];
      for (long rest = length; rest > 0; rest -= block.length) {
        zip.write(block, 0, (int) Math.min(rest, block.length));
      }
      zip.closeEntry();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  /// A copy with a text replaced everywhere by one of the same length, in names too.
  static byte[] replaced(byte[] zip, String text, String other) {
    byte[] from = text.getBytes(UTF_8);
    byte[] to = other.getBytes(UTF_8);
    byte[] copy = zip.clone();
    for (int at = 0; at + from.length <= copy.length; at++) {
      if (Arrays.equals(copy, at, at + from.length, from, 0, from.length)) {
        System.arraycopy(to, 0, copy, at, to.length);
      }
    }
    return copy;
  }
}
