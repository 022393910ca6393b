package io.easyfaas.common.zip;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/// Writes zip archives byte by byte, also such that no tool would write.
public final class ZipBuilder {
  /// A mode of stat(2).
  public static final int FILE = 0100644;

  /// A mode of stat(2).
  public static final int EXECUTABLE = 0100755;

  /// A mode of stat(2).
  public static final int DIRECTORY = 0040755;

  /// A mode of stat(2).
  public static final int SYMLINK = 0120777;

  /// A mode of stat(2).
  public static final int PIPE = 0010644;

  /// What goes into the headers; a test changes what it wants to lie about.
  public record Header(
      String localName,
      String name,
      int flags,
      int method,
      long crc,
      long compressedSize,
      long size,
      int madeBy,
      int mode,
      long offset) {
    /// With another value.
    public Header withLocalName(String other) {
      return new Header(
          other, name, flags, method, crc, compressedSize, size, madeBy, mode, offset);
    }

    /// With another value.
    public Header withFlags(int other) {
      return new Header(
          localName, name, other, method, crc, compressedSize, size, madeBy, mode, offset);
    }

    /// With another value.
    public Header withMethod(int other) {
      return new Header(
          localName, name, flags, other, crc, compressedSize, size, madeBy, mode, offset);
    }

    /// With another value.
    public Header withCrc(long other) {
      return new Header(
          localName, name, flags, method, other, compressedSize, size, madeBy, mode, offset);
    }

    /// With another value.
    public Header withCompressedSize(long other) {
      return new Header(localName, name, flags, method, crc, other, size, madeBy, mode, offset);
    }

    /// With another value.
    public Header withSize(long other) {
      return new Header(
          localName, name, flags, method, crc, compressedSize, other, madeBy, mode, offset);
    }

    /// With another value.
    public Header withOffset(long other) {
      return new Header(
          localName, name, flags, method, crc, compressedSize, size, madeBy, mode, other);
    }
  }

  private final ByteArrayOutputStream body = new ByteArrayOutputStream();
  private final List<Header> headers = new ArrayList<>();

  /// An ordinary entry.
  public ZipBuilder file(String name, String content) {
    return add(name, FILE, content.getBytes(UTF_8), header -> header);
  }

  /// An ordinary entry.
  public ZipBuilder directory(String name) {
    return add(name, DIRECTORY, new byte[0], header -> header);
  }

  /// An ordinary entry.
  public ZipBuilder link(String name, String target) {
    return add(name, SYMLINK, target.getBytes(UTF_8), header -> header);
  }

  /// An entry that is not compressed.
  public ZipBuilder stored(String name, byte[] content) {
    return write(header(name, FILE, content, content.length).withMethod(0), content);
  }

  /// An entry that is compressed, with a header that may lie.
  public ZipBuilder add(String name, int mode, byte[] content, UnaryOperator<Header> change) {
    Deflater deflater = new Deflater(Deflater.DEFAULT_COMPRESSION, true);
    deflater.setInput(content);
    deflater.finish();
    byte[] packed = new byte[content.length + 1024];
    int length = deflater.deflate(packed);
    deflater.end();
    return write(change.apply(header(name, mode, content, length)), Arrays.copyOf(packed, length));
  }

  /// An entry of the directory whose bytes are somewhere in the archive already.
  public ZipBuilder listedOnly(Header header) {
    headers.add(header);
    return this;
  }

  /// What an honest header has for an entry that is added next.
  public Header header(String name, int mode, byte[] content, long compressedSize) {
    CRC32 crc = new CRC32();
    crc.update(content);
    return new Header(
        name, name, 0x800, 8, crc.getValue(), compressedSize, content.length, 3, mode, body.size());
  }

  /// An entry that is not compressed, and that the directory does not have.
  public ZipBuilder unlisted(String name, byte[] content) {
    stored(name, content);
    headers.removeLast();
    return this;
  }

  /// An entry of which nothing is true that is not made so.
  public ZipBuilder write(Header header, byte[] packed) {
    headers.add(header);
    byte[] localName = header.localName().getBytes(UTF_8);
    byte[] localBytes = new byte[30 + localName.length];
    ByteBuffer local = little(localBytes);
    local.putInt(0x04034b50).putShort((short) 20).putShort((short) header.flags());
    local.putShort((short) header.method()).putInt(0).putInt((int) header.crc());
    local.putInt((int) header.compressedSize()).putInt((int) header.size());
    local.putShort((short) localName.length).putShort((short) 0).put(localName);
    body.writeBytes(localBytes);
    body.writeBytes(packed);
    return this;
  }

  /// The archive.
  public byte[] build() {
    ByteArrayOutputStream archive = new ByteArrayOutputStream();
    archive.writeBytes(body.toByteArray());
    for (Header header : headers) {
      byte[] name = header.name().getBytes(UTF_8);
      byte[] centralBytes = new byte[46 + name.length];
      ByteBuffer central = little(centralBytes);
      central.putInt(0x02014b50).put((byte) 20).put((byte) header.madeBy()).putShort((short) 20);
      central.putShort((short) header.flags()).putShort((short) header.method()).putInt(0);
      central.putInt((int) header.crc()).putInt((int) header.compressedSize());
      central.putInt((int) header.size()).putShort((short) name.length).putShort((short) 0);
      central.putShort((short) 0).putShort((short) 0).putShort((short) 0);
      central.putInt(header.mode() << 16).putInt((int) header.offset()).put(name);
      archive.writeBytes(centralBytes);
    }
    byte[] endBytes = new byte[22];
    ByteBuffer end = little(endBytes);
    end.putInt(0x06054b50).putInt(0).putShort((short) headers.size());
    end.putShort((short) headers.size()).putInt(archive.size() - body.size());
    end.putInt(body.size()).putShort((short) 0);
    archive.writeBytes(endBytes);
    return archive.toByteArray();
  }

  /// Writes the archive to a file.
  public Path write(Path file) {
    try {
      return Files.write(file, build());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static ByteBuffer little(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
