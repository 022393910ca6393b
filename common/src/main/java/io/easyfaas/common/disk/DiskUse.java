package io.easyfaas.common.disk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// An amount of disk, used or allowed. Both count: an empty directory has no content, but a disk
/// has only so many.
///
/// @param bytes of whole blocks
/// @param inodes files, directories and links
public record DiskUse(long bytes, long inodes) {
  /// Nothing.
  public static final DiskUse NONE = new DiskUse(0, 0);

  // What ext4 and xfs have unless told otherwise, for file systems that do not say.
  private static final long USUAL_BLOCK = 4096;

  /// Checks that neither is negative.
  public DiskUse {
    if (bytes < 0 || inodes < 0) {
      throw new IllegalArgumentException(
          "disk use: " + bytes + " bytes, " + inodes + " inodes (expected: >= 0)");
    }
  }

  /// One file or link.
  ///
  /// @param size of its content in bytes
  /// @param block of the file system in bytes, see {@link #blockSize}
  public static DiskUse ofFile(long size, long block) {
    return new DiskUse((size + block - 1) / block * block, 1);
  }

  /// One directory, which has a block even when it is empty.
  ///
  /// @param size as stat(2) tells it; 0 when it is still to be made
  public static DiskUse ofDirectory(long size, long block) {
    return ofFile(Math.max(size, 1), block);
  }

  /// The file system's block in bytes. Java reads all mounts of the machine to tell it, so it is
  /// not to be asked for each file.
  ///
  /// @param path something on it that exists
  public static long blockSize(Path path) throws IOException {
    try {
      long block = Files.getFileStore(path).getBlockSize();
      return block > 0 ? block : USUAL_BLOCK;
    } catch (UnsupportedOperationException _) {
      return USUAL_BLOCK;
    }
  }

  /// The sum.
  public DiskUse plus(DiskUse other) {
    return new DiskUse(bytes + other.bytes, inodes + other.inodes);
  }

  /// What is left without the other one, which is part of this.
  ///
  /// @throws IllegalArgumentException when it is not
  public DiskUse minus(DiskUse other) {
    return new DiskUse(bytes - other.bytes, inodes - other.inodes);
  }

  /// Whether it is within a limit in both respects.
  public boolean fits(DiskUse limit) {
    return bytes <= limit.bytes && inodes <= limit.inodes;
  }

  @Override
  public String toString() {
    return bytes + " bytes and " + inodes + " inodes";
  }
}
