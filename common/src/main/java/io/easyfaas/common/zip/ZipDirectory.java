package io.easyfaas.common.zip;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Reads a zip archive's central directory, see the .ZIP File Format Specification (APPNOTE)
/// 6.3.10, sections 4.3.7, 4.3.12, 4.3.16, 4.5.3.
///
/// Our own reader, because `java.util.zip` shows no unix modes and so can neither keep the
/// executable bit nor tell a symbolic link from a file, and because every length in it is a
/// tenant's claim that is checked here before it is believed.
final class ZipDirectory {
  private static final int LOCAL_SIGNATURE = 0x04034b50;
  private static final int CENTRAL_SIGNATURE = 0x02014b50;
  private static final int END_SIGNATURE = 0x06054b50;
  private static final int LOCAL_BYTES = 30;
  private static final int CENTRAL_BYTES = 46;
  private static final int END_BYTES = 22;
  private static final int MAX_COMMENT_BYTES = 0xFFFF;
  private static final int MADE_ON_UNIX = 3;
  private static final int MADE_ON_MACOS = 19;
  private static final int DESCRIPTOR_SIGNATURE = 0x08074b50;
  private static final int HAS_DESCRIPTOR = 1 << 3;
  private static final int ZIP64_EXTRA = 0x0001;
  private static final long SATURATED_32 = 0xFFFFFFFFL;
  private static final int SATURATED_16 = 0xFFFF;
  // One entry is never larger: its header, and three fields of at most 65,535 bytes.
  private static final int WINDOW_BYTES = CENTRAL_BYTES + 3 * 0xFFFF;

  private final ZipSource archive;
  private final long archiveSize;
  private final int count;
  private final long offset;
  private final long size;

  /// What the directory says.
  ///
  /// @param entries in the archive's order
  /// @param offset where the directory begins
  record Listing(List<ZipEntryHeader> entries, long offset) {}

  /// What the local header of an entry says.
  ///
  /// @param data where its compressed bytes begin
  /// @param hasDescriptor whether sizes and checksum come after them
  record Local(long data, boolean hasDescriptor) {}

  /// Reads where the directory is and how large.
  ///
  /// @throws BadZipException when there is none, or only with zip64
  ZipDirectory(ZipSource archive) throws IOException {
    this.archive = archive;
    this.archiveSize = archive.size();
    if (archiveSize < END_BYTES || !startsLikeZip(read(0, 4))) {
      throw new BadZipException("is not a zip archive, or has something before it");
    }
    ByteBuffer end = end();
    count = Short.toUnsignedInt(end.getShort(10));
    size = Integer.toUnsignedLong(end.getInt(12));
    offset = Integer.toUnsignedLong(end.getInt(16));
    if (count == SATURATED_16 || size == SATURATED_32 || offset == SATURATED_32) {
      throw new BadZipException(
          "has more than 65,534 entries or 4 GiB (expected: less than either)");
    }
    if (end.getInt(4) != 0 || Short.toUnsignedInt(end.getShort(8)) != count) {
      throw onOtherDisks();
    }
    long endOffset = archiveSize - END_BYTES - Short.toUnsignedInt(end.getShort(20));
    if (offset + size > endOffset) {
      throw new BadZipException("is truncated: its directory lies outside of it");
    }
    if (offset + size < endOffset) {
      throw new BadZipException("has something between its directory and its end record");
    }
  }

  /// How many entries it says it has.
  int count() {
    return count;
  }

  /// How many bytes it has.
  long size() {
    return size;
  }

  /// Every entry, in the archive's order.
  ///
  /// @param limits of which more are refused before they are read
  /// @throws BadZipException when the archive is damaged
  Listing entries(ZipLimits limits) throws IOException {
    if (count > limits.entries()) {
      throw new BadZipException(
          "has " + count + " entries (expected: at most " + limits.entries() + ")");
    }
    return new Listing(parse(limits.names()), offset);
  }

  /// What an entry's local header says, which must be what the directory says: some readers go by
  /// the one and some by the other.
  ///
  /// @throws BadZipException when the local header tells another story than the directory
  Local local(ZipEntryHeader entry) throws IOException {
    if (entry.headerOffset() > archiveSize - LOCAL_BYTES) {
      throw new BadZipException("entry " + entry.label() + " lies outside of the archive");
    }
    ByteBuffer local = read(entry.headerOffset(), LOCAL_BYTES);
    int nameBytes = Short.toUnsignedInt(local.getShort(26));
    int extraBytes = Short.toUnsignedInt(local.getShort(28));
    long data = entry.headerOffset() + LOCAL_BYTES + nameBytes + extraBytes;
    if (local.getInt(0) != LOCAL_SIGNATURE || entry.compressedSize() > archiveSize - data) {
      throw new BadZipException("entry " + entry.label() + " lies outside of the archive");
    }
    if (!name(read(entry.headerOffset() + LOCAL_BYTES, nameBytes)).equals(entry.name())) {
      throw new BadZipException("entry " + entry.label() + " has two different names");
    }
    boolean hasDescriptor = (local.getShort(6) & HAS_DESCRIPTOR) != 0;
    boolean isSame = Short.toUnsignedInt(local.getShort(8)) == entry.method();
    if (isSame && !hasDescriptor) {
      ByteBuffer extra = read(entry.headerOffset() + LOCAL_BYTES + nameBytes, extraBytes);
      @Nullable ByteBuffer wide = zip64(extra);
      isSame =
          Integer.toUnsignedLong(local.getInt(14)) == entry.crc()
              && widened(Integer.toUnsignedLong(local.getInt(22)), wide, entry.name())
                  == entry.size()
              && widened(Integer.toUnsignedLong(local.getInt(18)), wide, entry.name())
                  == entry.compressedSize();
    }
    if (!isSame) {
      throw new BadZipException(
          "entry " + entry.label() + " is another before its data than in the directory");
    }
    return new Local(data, hasDescriptor);
  }

  /// Checks that what is between an entry's data and what comes next are its sizes and checksum,
  /// with a signature or without, each size of four bytes or of eight.
  ///
  /// @param offset where the data ends
  /// @param length up to what comes next
  /// @throws BadZipException when it is something else
  void checkDescriptor(ZipEntryHeader entry, long offset, long length) throws IOException {
    if (length == 12 || length == 16 || length == 20 || length == 24) {
      ByteBuffer descriptor = read(offset, (int) length);
      boolean isWide = length >= 20;
      boolean isSigned = length == 16 || length == 24;
      if ((!isSigned || descriptor.getInt() == DESCRIPTOR_SIGNATURE)
          && Integer.toUnsignedLong(descriptor.getInt()) == entry.crc()
          && size(descriptor, isWide) == entry.compressedSize()
          && size(descriptor, isWide) == entry.size()) {
        return;
      }
    }
    throw new BadZipException(
        "has something after entry " + entry.label() + " that is not its sizes");
  }

  private static long size(ByteBuffer descriptor, boolean isWide) {
    return isWide ? descriptor.getLong() : Integer.toUnsignedLong(descriptor.getInt());
  }

  private List<ZipEntryHeader> parse(int mostNames) throws IOException {
    List<ZipEntryHeader> entries = new ArrayList<>(count);
    long end = offset + size;
    long names = 0;
    ByteBuffer window = read(offset, (int) Math.min(WINDOW_BYTES, end - offset));
    long windowEnd = offset + window.limit();
    for (int i = 0; i < count; i++) {
      if (window.remaining() < WINDOW_BYTES && windowEnd < end) {
        long at = windowEnd - window.remaining();
        window = read(at, (int) Math.min(2 * WINDOW_BYTES, end - at));
        windowEnd = at + window.limit();
      }
      if (window.remaining() < CENTRAL_BYTES
          || window.getInt(window.position()) != CENTRAL_SIGNATURE) {
        throw new BadZipException("is damaged: entry " + i + " of its directory is missing");
      }
      ZipEntryHeader entry = parseEntry(window);
      names += entry.name().length();
      if (names > mostNames) {
        throw new BadZipException("has names of more than " + mostNames + " characters together");
      }
      entries.add(entry);
    }
    if (window.hasRemaining() || windowEnd < end) {
      throw new BadZipException("is damaged: its directory has more entries than it says");
    }
    return entries;
  }

  private static ZipEntryHeader parseEntry(ByteBuffer directory) throws BadZipException {
    int at = directory.position();
    int madeBy = Short.toUnsignedInt(directory.getShort(at + 4)) >> 8;
    int nameBytes = Short.toUnsignedInt(directory.getShort(at + 28));
    int extraBytes = Short.toUnsignedInt(directory.getShort(at + 30));
    int commentBytes = Short.toUnsignedInt(directory.getShort(at + 32));
    if (directory.remaining() < CENTRAL_BYTES + nameBytes + extraBytes + commentBytes) {
      throw new BadZipException("is damaged: its directory ends within an entry");
    }
    if (nameBytes > ZipPlan.MAX_PATH_BYTES) { // Before it becomes a text: there may be thousands.
      throw new BadZipException(
          "has a name of "
              + nameBytes
              + " bytes (expected: at most "
              + ZipPlan.MAX_PATH_BYTES
              + " bytes)");
    }
    if (directory.getShort(at + 34) != 0) {
      throw onOtherDisks();
    }
    String name = name(directory.slice(at + CENTRAL_BYTES, nameBytes));
    ByteBuffer extra =
        directory.slice(at + CENTRAL_BYTES + nameBytes, extraBytes).order(ByteOrder.LITTLE_ENDIAN);
    @Nullable ByteBuffer wide = zip64(extra);
    long size = widened(Integer.toUnsignedLong(directory.getInt(at + 24)), wide, name);
    long compressed = widened(Integer.toUnsignedLong(directory.getInt(at + 20)), wide, name);
    long offset = widened(Integer.toUnsignedLong(directory.getInt(at + 42)), wide, name);
    boolean hasMode = madeBy == MADE_ON_UNIX || madeBy == MADE_ON_MACOS;
    directory.position(at + CENTRAL_BYTES + nameBytes + extraBytes + commentBytes);
    return new ZipEntryHeader(
        name,
        Short.toUnsignedInt(directory.getShort(at + 10)),
        Short.toUnsignedInt(directory.getShort(at + 8)),
        Integer.toUnsignedLong(directory.getInt(at + 16)),
        compressed,
        size,
        hasMode ? directory.getInt(at + 38) >>> 16 : 0,
        offset);
  }

  /// The wide field with the values that did not fit, in the order size, compressed size, offset.
  private static @Nullable ByteBuffer zip64(ByteBuffer extra) {
    while (extra.remaining() >= 4) {
      int id = Short.toUnsignedInt(extra.getShort());
      int length = Short.toUnsignedInt(extra.getShort());
      if (length > extra.remaining()) {
        return null;
      }
      if (id == ZIP64_EXTRA) {
        return extra.slice(extra.position(), length).order(ByteOrder.LITTLE_ENDIAN);
      }
      extra.position(extra.position() + length);
    }
    return null;
  }

  private static long widened(long value, @Nullable ByteBuffer wide, String name)
      throws BadZipException {
    if (value != SATURATED_32) {
      return value;
    }
    long actual = wide == null || wide.remaining() < 8 ? -1 : wide.getLong();
    if (actual < 0) {
      throw new BadZipException("entry " + ZipEntryHeader.label(name) + " has a damaged size");
    }
    return actual;
  }

  /// The end record, which a comment of unknown length may follow, and nothing else.
  private ByteBuffer end() throws IOException {
    for (int most : new int[] {END_BYTES, END_BYTES + MAX_COMMENT_BYTES}) { // Few have a comment.
      int tailBytes = (int) Math.min(archiveSize, most);
      ByteBuffer tail = read(archiveSize - tailBytes, tailBytes);
      for (int at = tailBytes - END_BYTES; at >= 0; at--) {
        if (tail.getInt(at) == END_SIGNATURE
            && at + END_BYTES + Short.toUnsignedInt(tail.getShort(at + 20)) == tailBytes) {
          return tail.slice(at, END_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        }
      }
    }
    throw new BadZipException("is truncated, or has something after it: it does not end as a zip");
  }

  private static BadZipException onOtherDisks() {
    return new BadZipException("is on more than one disk");
  }

  private static boolean startsLikeZip(ByteBuffer head) {
    int signature = head.getInt(0);
    return signature == LOCAL_SIGNATURE || signature == END_SIGNATURE;
  }

  private static String name(ByteBuffer bytes) throws BadZipException {
    try {
      return UTF_8.newDecoder().decode(bytes).toString();
    } catch (CharacterCodingException e) {
      throw new BadZipException("has an entry whose name is not UTF-8", e);
    }
  }

  private ByteBuffer read(long offset, int length) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    while (buffer.hasRemaining()) {
      if (archive.read(buffer, offset + buffer.position()) < 0) {
        throw new BadZipException("is truncated");
      }
    }
    return buffer.flip();
  }
}
