package io.easyfaas.common.zip;

/// What an archive may be at most.
///
/// @param entries files, directories and links, directories that are only implied included
/// @param bytes unpacked
/// @param ratio unpacked to packed size of the whole archive
/// @param ratioFreeBytes up to this unpacked size any ratio will do: some blanks are no bomb
/// @param names characters of all names together, see {@link ZipArchive#mostHeap}
public record ZipLimits(int entries, long bytes, int ratio, long ratioFreeBytes, int names) {
  /// The engine's limits. Source code packs 3 to 10 times smaller; more than 200 times is made to
  /// fill a disk. Unpacked it may be as large as the largest zip there can be, see `max-code-size`.
  public static final ZipLimits STANDARD =
      new ZipLimits(20_000, 512L << 20, 200, 10L << 20, 4 << 20);
}
