package io.easyfaas.funclet.code;

/// One entry as the archive's central directory describes it.
///
/// @param name as written, with a `/` at the end for a directory
/// @param method 0 stored, 8 deflated
/// @param flags general purpose bits
/// @param crc CRC-32 of the content
/// @param compressedSize bytes in the archive
/// @param size bytes unpacked, as the archive claims
/// @param unixMode type and permission bits of stat(2), 0 when the archive was not made on unix
/// @param headerOffset where its local header is
record ZipEntryHeader(
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

  /// What it becomes on disk.
  enum Kind {
    /// A regular file.
    FILE,
    /// A directory.
    DIRECTORY,
    /// A symbolic link, whose target is the content.
    SYMLINK,
    /// A device, pipe or socket: never made.
    OTHER
  }

  Kind kind() {
    return switch (unixMode & TYPE_MASK) {
      case SYMLINK -> Kind.SYMLINK;
      case DIRECTORY -> Kind.DIRECTORY;
      case REGULAR, 0 -> name.endsWith("/") ? Kind.DIRECTORY : Kind.FILE;
      default -> Kind.OTHER;
    };
  }

  boolean isExecutable() {
    return (unixMode & 0111) != 0;
  }

  boolean isEncrypted() {
    return (flags & 1) != 0;
  }
}
