package io.easyfaas.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/// Writes zip archives, also ones that honest tools do not write: any entry name, and symbolic
/// links. Format: PKWARE APPNOTE 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16.
final class Zip {
  private static final int LOCAL_HEADER = 0x04034b50;
  private static final int CENTRAL_HEADER = 0x02014b50;
  private static final int END_OF_DIRECTORY = 0x06054b50;
  private static final int MADE_BY_UNIX = 3 << 8 | 20;
  private static final int VERSION_NEEDED = 20;
  private static final int DEFLATED = 8;
  private static final int UTF8_NAMES = 1 << 11;
  private static final int FIRST_OF_1980 = 0x0021_0000; // Midnight, in MS-DOS format.
  private static final int REGULAR_FILE = 0100644;
  private static final int SYMBOLIC_LINK = 0120777;

  private record Entry(String name, int packedSize, int size, int crc, int mode, int offset) {}

  private final List<Entry> entries = new ArrayList<>();
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  /// Adds a text file.
  Zip file(String name, String text) {
    return add(name, text.getBytes(UTF_8), REGULAR_FILE);
  }

  /// Adds a file.
  Zip file(String name, byte[] bytes) {
    return add(name, bytes, REGULAR_FILE);
  }

  /// Adds a symbolic link.
  Zip link(String name, String target) {
    return add(name, target.getBytes(UTF_8), SYMBOLIC_LINK);
  }

  /// The archive. Nothing can be added to it afterwards.
  byte[] bytes() {
    int directory = out.size();
    for (Entry entry : entries) {
      putInt(CENTRAL_HEADER);
      putShort(MADE_BY_UNIX);
      putCommon(entry);
      putShort(0); // Comment.
      putShort(0); // Disk.
      putShort(0); // Internal attributes.
      putInt(entry.mode() << 16);
      putInt(entry.offset());
      out.writeBytes(entry.name().getBytes(UTF_8));
    }
    int size = out.size() - directory;
    putInt(END_OF_DIRECTORY);
    putInt(0); // Disks.
    putShort(entries.size());
    putShort(entries.size());
    putInt(size);
    putInt(directory);
    putShort(0); // Comment.
    return out.toByteArray();
  }

  private Zip add(String name, byte[] bytes, int mode) {
    CRC32 checksum = new CRC32();
    checksum.update(bytes);
    byte[] packed = deflate(bytes);
    int crc = (int) checksum.getValue();
    Entry entry = new Entry(name, packed.length, bytes.length, crc, mode, out.size());
    entries.add(entry);
    putInt(LOCAL_HEADER);
    putCommon(entry);
    out.writeBytes(name.getBytes(UTF_8));
    out.writeBytes(packed);
    return this;
  }

  /// The fields that local and central headers share, from "version needed" to "extra length".
  private void putCommon(Entry entry) {
    putShort(VERSION_NEEDED);
    putShort(UTF8_NAMES);
    putShort(DEFLATED);
    putInt(FIRST_OF_1980);
    putInt(entry.crc());
    putInt(entry.packedSize());
    putInt(entry.size());
    putShort(entry.name().getBytes(UTF_8).length);
    putShort(0); // Extra.
  }

  private void putShort(int value) {
    out.write(value);
    out.write(value >> 8);
  }

  private void putInt(int value) {
    putShort(value);
    putShort(value >> 16);
  }

  private static byte[] deflate(byte[] bytes) {
    Deflater deflater = new Deflater(Deflater.BEST_SPEED, true);
    try {
      deflater.setInput(bytes);
      deflater.finish();
      ByteArrayOutputStream packed = new ByteArrayOutputStream();
      byte[] buffer = new byte[8192];
      while (!deflater.finished()) {
        packed.write(buffer, 0, deflater.deflate(buffer));
      }
      return packed.toByteArray();
    } finally {
      deflater.end();
    }
  }
}
