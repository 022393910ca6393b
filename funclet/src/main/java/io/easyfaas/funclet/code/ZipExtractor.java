package io.easyfaas.funclet.code;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.funclet.code.ZipEntryHeader.Kind;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/// Unpacks a code archive into an empty directory.
///
/// Files become 0644, or 0755 when the archive says they are executable; directories 0755. Symbolic
/// links are made last, so that nothing is ever written through one. Sizes and checksums are
/// counted while unpacking: an archive that lies is refused at the first byte too many.
final class ZipExtractor {
  private static final Set<PosixFilePermission> PLAIN =
      PosixFilePermissions.fromString("rw-r--r--");
  private static final Set<PosixFilePermission> EXECUTABLE =
      PosixFilePermissions.fromString("rwxr-xr-x");
  private static final int BUFFER_BYTES = 64 * 1024;

  private final ZipPlan.Limits limits;

  ZipExtractor(ZipPlan.Limits limits) {
    this.limits = limits;
  }

  /// Unpacks.
  ///
  /// @param target an empty directory; holds a part of the archive after a failure
  /// @return bytes unpacked
  /// @throws BadArchiveException when the archive is damaged or not allowed
  /// @throws IOException when the target cannot be written
  long extract(Path archive, Path target) throws IOException {
    try (FileChannel channel = FileChannel.open(archive, StandardOpenOption.READ)) {
      ZipDirectory directory = new ZipDirectory(channel);
      ZipPlan plan = ZipPlan.of(directory.entries(limits.entries()), limits);
      Map<String, Long> data = new LinkedHashMap<>();
      for (Map.Entry<String, ZipEntryHeader> entry : plan.entries().entrySet()) {
        data.put(entry.getKey(), directory.dataOffset(entry.getValue()));
      }
      plan.checkOverlap(data);
      Map<String, String> links = links(channel, plan, data);
      ZipPlan.checkLinks(links);
      makeDirectories(plan, target);
      long total = 0;
      for (Map.Entry<String, ZipEntryHeader> file : plan.ofKind(Kind.FILE).entrySet()) {
        Path path = target.resolve(file.getKey());
        try (OutputStream out = Files.newOutputStream(path, StandardOpenOption.CREATE_NEW)) {
          unpack(channel, file.getValue(), data.getOrDefault(file.getKey(), 0L), out);
        }
        Files.setPosixFilePermissions(path, file.getValue().isExecutable() ? EXECUTABLE : PLAIN);
        total += file.getValue().size();
      }
      for (Map.Entry<String, String> link : links.entrySet()) {
        Files.createSymbolicLink(target.resolve(link.getKey()), Path.of(link.getValue()));
      }
      return total;
    }
  }

  private static Map<String, String> links(
      FileChannel channel, ZipPlan plan, Map<String, Long> data) throws IOException {
    Map<String, String> links = new LinkedHashMap<>();
    for (Map.Entry<String, ZipEntryHeader> link : plan.ofKind(Kind.SYMLINK).entrySet()) {
      ByteArrayOutputStream target = new ByteArrayOutputStream();
      unpack(channel, link.getValue(), data.getOrDefault(link.getKey(), 0L), target);
      links.put(link.getKey(), target.toString(UTF_8));
    }
    return links;
  }

  private static void makeDirectories(ZipPlan plan, Path target) throws IOException {
    for (Map.Entry<String, ZipEntryHeader> entry : plan.entries().entrySet()) {
      try {
        Path path = target.resolve(entry.getKey());
        Path directory = entry.getValue().kind() == Kind.DIRECTORY ? path : path.getParent();
        if (directory != null && !Files.isDirectory(directory)) {
          makeOpen(directory, target);
        }
      } catch (InvalidPathException e) {
        throw new BadArchiveException(
            "has an entry with the bad name \"" + entry.getKey() + "\"", e);
      }
    }
  }

  /// Makes a directory and its parents readable for all, whatever the umask is.
  private static void makeOpen(Path directory, Path target) throws IOException {
    Path parent = directory.getParent();
    if (parent != null && !directory.equals(target) && !Files.isDirectory(parent)) {
      makeOpen(parent, target);
    }
    Files.createDirectory(directory);
    Files.setPosixFilePermissions(directory, EXECUTABLE);
  }

  private static void unpack(
      FileChannel channel, ZipEntryHeader entry, long offset, OutputStream out) throws IOException {
    CRC32 crc = new CRC32();
    long size =
        entry.method() == 0
            ? copy(channel, entry, offset, crc, out)
            : inflate(channel, entry, offset, crc, out);
    if (size != entry.size()) {
      throw new BadArchiveException(
          "has entry \""
              + entry.name()
              + "\" of "
              + size
              + " bytes (expected: "
              + entry.size()
              + ", as it says itself)");
    }
    if (crc.getValue() != entry.crc()) {
      throw new BadArchiveException(
          "has the damaged entry \"" + entry.name() + "\": wrong checksum");
    }
  }

  private static long copy(
      FileChannel channel, ZipEntryHeader entry, long offset, CRC32 crc, OutputStream out)
      throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES);
    long done = 0;
    while (done < entry.compressedSize()) {
      int n = fill(channel, entry, offset + done, entry.compressedSize() - done, buffer);
      crc.update(buffer.array(), 0, n);
      out.write(buffer.array(), 0, n);
      done += n;
    }
    return done;
  }

  private static long inflate(
      FileChannel channel, ZipEntryHeader entry, long offset, CRC32 crc, OutputStream out)
      throws IOException {
    Inflater inflater = new Inflater(true);
    try {
      ByteBuffer in = ByteBuffer.allocate(BUFFER_BYTES);
      byte[] plain = new byte[BUFFER_BYTES];
      long read = 0;
      while (!inflater.finished()) {
        int n = inflater.inflate(plain);
        crc.update(plain, 0, n);
        out.write(plain, 0, n);
        if (inflater.getBytesWritten() > entry.size()) {
          throw new BadArchiveException(
              "has entry \""
                  + entry.name()
                  + "\" larger than the "
                  + entry.size()
                  + " bytes it says itself");
        }
        if (n == 0 && !inflater.finished()) {
          if (!inflater.needsInput() || read == entry.compressedSize()) {
            throw new BadArchiveException("has the truncated entry \"" + entry.name() + "\"");
          }
          int got = fill(channel, entry, offset + read, entry.compressedSize() - read, in);
          inflater.setInput(in.array(), 0, got);
          read += got;
        }
      }
      return inflater.getBytesWritten();
    } catch (DataFormatException e) {
      throw new BadArchiveException("has the damaged entry \"" + entry.name() + "\"", e);
    } finally {
      inflater.end();
    }
  }

  private static int fill(
      FileChannel channel, ZipEntryHeader entry, long offset, long left, ByteBuffer buffer)
      throws IOException {
    buffer.clear().limit((int) Math.min(left, buffer.capacity()));
    int n = channel.read(buffer, offset);
    if (n <= 0) {
      throw new BadArchiveException("is truncated within entry \"" + entry.name() + "\"");
    }
    return n;
  }
}
