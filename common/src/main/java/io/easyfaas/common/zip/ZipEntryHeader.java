package io.easyfaas.common.zip;

/// One entry of a zip archive as the archive's central directory describes it.
///
/// @param name as written, with a `/` at the end for a directory
/// @param method 0 stored, 8 deflated
/// @param flags general purpose bits
/// @param crc CRC-32 of the content
/// @param compressedSize bytes in the archive
/// @param size bytes unpacked, as the archive claims
/// @param unixMode type and permission bits of stat(2), 0 when the archive was not made on unix
/// @param headerOffset where its local header is
public record ZipEntryHeader(
    String name,
    int method,
    int flags,
    long crc,
    long compressedSize,
    long size,
    int unixMode,
    long headerOffset) {
  private static final int TYPE_MASK = 0170000;
  private static final int REGULAR = 0100000;
  private static final int DIRECTORY = 0040000;
  private static final int SYMLINK = 0120000;
  private static final int MAX_LABEL_CHARACTERS = 128;

  /// What it becomes on disk.
  public enum Kind {
    /// A regular file.
    FILE,
    /// A directory.
    DIRECTORY,
    /// A symbolic link, whose target is the content.
    SYMLINK,
    /// A device, pipe or socket: never made.
    OTHER
  }

  /// What it becomes on disk.
  public Kind kind() {
    return switch (unixMode & TYPE_MASK) {
      case SYMLINK -> Kind.SYMLINK;
      case DIRECTORY -> Kind.DIRECTORY;
      case REGULAR, 0 -> name.endsWith("/") ? Kind.DIRECTORY : Kind.FILE;
      default -> Kind.OTHER;
    };
  }

  /// Whether somebody may execute it.
  public boolean isExecutable() {
    return (unixMode & 0111) != 0;
  }

  boolean isEncrypted() {
    return (flags & 1) != 0;
  }

  /// The name as it may appear in a message: in quotes, on one line, and never long.
  String label() {
    return label(name);
  }

  static String label(String name) {
    String line = name.replaceAll("[\\p{Cc}\\p{Cf}]", "?");
    return line.length() <= MAX_LABEL_CHARACTERS
        ? "\"" + line + "\""
        : "\"" + line.substring(0, MAX_LABEL_CHARACTERS) + "…\"";
  }
}
