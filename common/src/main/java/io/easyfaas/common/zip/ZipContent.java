package io.easyfaas.common.zip;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/// Unpacks one entry. Size and checksum are counted meanwhile: an archive that lies is refused at
/// the first byte too many.
final class ZipContent {
  private static final int BUFFER_BYTES = 64 * 1024;

  private final FileChannel archive;
  private final ZipEntryHeader entry;
  private final long offset;
  private final CRC32 crc = new CRC32();
  private final ByteBuffer packed = ByteBuffer.allocate(BUFFER_BYTES);
  private long read;

  /// @param offset where its compressed bytes begin
  ZipContent(FileChannel archive, ZipEntryHeader entry, long offset) {
    this.archive = archive;
    this.entry = entry;
    this.offset = offset;
  }

  /// Writes the content.
  ///
  /// @throws BadZipException when it is not what the archive says
  void writeTo(OutputStream out) throws IOException {
    long size = entry.method() == 0 ? copy(out) : inflate(out);
    if (size != entry.size()) {
      throw new BadZipException(
          "has entry "
              + entry.label()
              + " of "
              + size
              + " bytes (expected: "
              + entry.size()
              + ", as it says itself)");
    }
    if (crc.getValue() != entry.crc()) {
      throw new BadZipException("has the damaged entry " + entry.label() + ": wrong checksum");
    }
  }

  private long copy(OutputStream out) throws IOException {
    while (read < entry.compressedSize()) {
      int n = fill();
      crc.update(packed.array(), 0, n);
      out.write(packed.array(), 0, n);
    }
    return read;
  }

  private long inflate(OutputStream out) throws IOException {
    Inflater inflater = new Inflater(true);
    try {
      byte[] plain = new byte[BUFFER_BYTES];
      while (!inflater.finished()) {
        int n = inflater.inflate(plain);
        if (inflater.getBytesWritten() > entry.size()) {
          throw new BadZipException(
              "has entry "
                  + entry.label()
                  + " larger than the "
                  + entry.size()
                  + " bytes it says itself");
        }
        crc.update(plain, 0, n);
        out.write(plain, 0, n);
        if (n == 0 && !inflater.finished()) {
          if (!inflater.needsInput() || read == entry.compressedSize()) {
            throw new BadZipException("has the truncated entry " + entry.label());
          }
          inflater.setInput(packed.array(), 0, fill());
        }
      }
      return inflater.getBytesWritten();
    } catch (DataFormatException e) {
      throw new BadZipException("has the damaged entry " + entry.label(), e);
    } finally {
      inflater.end();
    }
  }

  private int fill() throws IOException {
    packed.clear().limit((int) Math.min(entry.compressedSize() - read, packed.capacity()));
    int n = archive.read(packed, offset + read);
    if (n <= 0) {
      throw new BadZipException("is truncated within entry " + entry.label());
    }
    read += n;
    return n;
  }
}
