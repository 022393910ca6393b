package io.easyfaas.common.zip;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/// Unpacks entries of one archive, one after the other. Size and checksum are counted meanwhile: an
/// archive that lies is refused at the first byte too many. Not thread-safe.
final class ZipContent implements AutoCloseable {
  private static final int BUFFER_BYTES = 64 * 1024;

  private final ZipSource archive;
  private final CRC32 crc = new CRC32();
  private final Inflater inflater;
  private final ByteBuffer packed;
  private final byte[] plain = new byte[BUFFER_BYTES];
  private long read;

  ZipContent(ZipSource archive) throws IOException {
    this.archive = archive;
    this.packed = ByteBuffer.allocate((int) Math.min(BUFFER_BYTES, archive.size()));
    this.inflater = new Inflater(true); // Last: it holds what nobody else would free.
  }

  /// Writes the content of an entry.
  ///
  /// @param offset where its compressed bytes begin
  /// @throws BadZipException when it is not what the archive says
  void write(ZipEntryHeader entry, long offset, OutputStream out) throws IOException {
    crc.reset();
    read = 0;
    long size = entry.method() == 0 ? copy(entry, offset, out) : inflate(entry, offset, out);
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

  @Override
  public void close() {
    inflater.end();
  }

  private long copy(ZipEntryHeader entry, long offset, OutputStream out) throws IOException {
    while (read < entry.compressedSize()) {
      int n = fill(entry, offset);
      crc.update(packed.array(), 0, n);
      out.write(packed.array(), 0, n);
    }
    return read;
  }

  private long inflate(ZipEntryHeader entry, long offset, OutputStream out) throws IOException {
    inflater.reset();
    try {
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
          inflater.setInput(packed.array(), 0, fill(entry, offset));
        }
      }
    } catch (DataFormatException e) {
      throw new BadZipException("has the damaged entry " + entry.label(), e);
    }
    if (inflater.getRemaining() > 0 || read < entry.compressedSize()) {
      throw new BadZipException("has something after the content of entry " + entry.label());
    }
    return inflater.getBytesWritten();
  }

  private int fill(ZipEntryHeader entry, long offset) throws IOException {
    packed.clear().limit((int) Math.min(entry.compressedSize() - read, packed.capacity()));
    int n = archive.read(packed, offset + read);
    if (n <= 0) {
      throw new BadZipException("is truncated within entry " + entry.label());
    }
    read += n;
    return n;
  }
}
