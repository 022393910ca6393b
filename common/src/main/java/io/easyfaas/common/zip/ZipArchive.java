package io.easyfaas.common.zip;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.disk.DiskUse;
import io.easyfaas.common.zip.ZipEntryHeader.Kind;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/// A code archive whose directory was checked as a whole: every name, kind, size and link of it is
/// allowed, and nothing in it leads out of the directory it would be unpacked to. What its files
/// contain is checked when they are read. Not thread-safe.
///
/// **Allowed** are files, directories and symbolic links that stay inside, stored or deflated, with
/// sizes before or after them; names of UTF-8, in either case, `./a` and `a//b` for what they mean;
/// directories twice.
///
/// **Refused** is what another reader would see differently, or a file system would not take: bytes
/// before, between or after what it lists, entries that are not listed, listed twice, overlap, tell
/// two stories of themselves, are encrypted, devices or pipes, names that are absolute or have
/// `..`, `\` or NUL, and more than 65,534 entries or 4 GiB. The archive has at least one file.
public final class ZipArchive implements AutoCloseable {
  // A header, its name and path, and places in lists and maps.
  private static final long HEAP_OF_ENTRY = 400;
  // In a name with one character beyond Latin-1 every character takes two.
  private static final long HEAP_OF_NAME_BYTE = 2;
  // Two bytes a character, and 100 for each of up to 20,000 directories.
  private static final long MOST_HEAP_OF_OTHER_NAMES = 2L * ZipPlan.MAX_OTHER_NAMES + (2 << 20);
  // A path of 1,024 bytes that goes through 64 directories nobody else does.
  private static final long HEAP_OF_ONE_PATH = 72 << 10;

  private final ZipSource source;
  private final ZipContent content;
  private final ZipPlan plan;
  // Where an entry's compressed bytes begin, by where its header does.
  private final Map<Long, Long> dataOffsets;
  private final Map<String, String> links = new LinkedHashMap<>();

  private ZipArchive(ZipSource source, ZipPlan plan, Map<Long, Long> dataOffsets)
      throws IOException {
    this.source = source;
    this.content = new ZipContent(source);
    this.plan = plan;
    this.dataOffsets = dataOffsets;
    try {
      for (String link : plan.ofKind(Kind.SYMLINK).keySet()) {
        links.put(link, target(link));
      }
      ZipLinks.check(links);
    } catch (Throwable e) {
      content.close();
      throw e;
    }
  }

  /// The most that an archive takes of the heap while it is open, by what its last bytes say: its
  /// names, and the directories that these go through.
  ///
  /// @return bytes, of an archive that {@link #open} does not refuse
  /// @throws BadZipException when it has no directory
  public static long mostHeap(ZipSource source) throws IOException {
    ZipDirectory directory = new ZipDirectory(source);
    long others = Math.min(MOST_HEAP_OF_OTHER_NAMES, directory.count() * HEAP_OF_ONE_PATH);
    return HEAP_OF_ENTRY * directory.count() + HEAP_OF_NAME_BYTE * directory.size() + others;
  }

  /// What the directory claims that the files have together when they are unpacked.
  ///
  /// @return bytes; no file gives more than is claimed for it
  /// @throws BadZipException when the directory is damaged or too large
  public static long claimedBytes(Path path, ZipLimits limits) throws IOException {
    try (ZipSource source = ZipSource.of(path)) {
      long bytes = 0;
      for (ZipEntryHeader entry : new ZipDirectory(source).entries(limits).entries()) {
        bytes = Math.min(limits.bytes(), bytes + Math.min(limits.bytes(), entry.size()));
      }
      return bytes;
    }
  }

  /// Opens an archive and checks its directory and its links.
  ///
  /// @throws BadZipException when it is damaged or not allowed
  /// @throws IOException when it cannot be read
  public static ZipArchive open(Path path, ZipLimits limits) throws IOException {
    ZipSource source = ZipSource.of(path);
    try {
      return open(source, limits);
    } catch (Throwable e) {
      source.close();
      throw e;
    }
  }

  /// As above.
  ///
  /// @param source closed with the archive, but not when it is refused
  public static ZipArchive open(ZipSource source, ZipLimits limits) throws IOException {
    ZipDirectory directory = new ZipDirectory(source);
    ZipDirectory.Listing listing = directory.entries(limits);
    ZipPlan plan = ZipPlan.of(listing.entries(), source.size(), limits);
    return new ZipArchive(source, plan, ZipLayout.check(directory, listing));
  }

  /// Every directory, those that are only implied too, as clean relative paths, parents first.
  public Set<String> directories() {
    return plan.directories();
  }

  /// Every regular file, by clean relative path.
  public Map<String, ZipEntryHeader> files() {
    return plan.ofKind(Kind.FILE);
  }

  /// Every symbolic link, by clean relative path, with its target.
  public Map<String, String> links() {
    return Collections.unmodifiableMap(links);
  }

  /// What it would take of a disk, with the directory it is unpacked to.
  ///
  /// @param block of the file system, in bytes
  public DiskUse use(long block) {
    DiskUse use = DiskUse.ofDirectory(0, block);
    for (String _ : plan.directories()) {
      use = use.plus(DiskUse.ofDirectory(0, block));
    }
    for (ZipEntryHeader entry : plan.entries().values()) {
      use = use.plus(DiskUse.ofFile(entry.size(), block));
    }
    return use;
  }

  /// Writes what a file contains.
  ///
  /// @param path one of {@link #files}
  /// @throws BadZipException when the content is not what the archive says; a part is written then
  public void read(String path, OutputStream out) throws IOException {
    ZipEntryHeader entry = plan.entries().get(path);
    if (entry == null) {
      throw new IllegalArgumentException(
          "entry: \"" + path + "\" (expected: one of the archive's)");
    }
    content.write(entry, dataOffsets.getOrDefault(entry.headerOffset(), 0L), out);
  }

  /// Reads every file to its end, so that what is accepted can also be unpacked.
  ///
  /// @throws BadZipException when a content is not what the archive says
  public void verify() throws IOException {
    for (String path : files().keySet()) {
      read(path, OutputStream.nullOutputStream());
    }
  }

  @Override
  public void close() throws IOException {
    content.close();
    source.close();
  }

  private String target(String link) throws IOException {
    ByteArrayOutputStream target = new ByteArrayOutputStream();
    read(link, target);
    try {
      return UTF_8.newDecoder().decode(ByteBuffer.wrap(target.toByteArray())).toString();
    } catch (CharacterCodingException e) {
      throw new BadZipException(
          "has the symbolic link " + ZipEntryHeader.label(link) + " to what is not UTF-8", e);
    }
  }
}
