package io.easyfaas.common.zip;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// How the entries of an archive lie in it: the first at its very beginning, each where the one
/// before ends, the directory where the last one ends. So a reader that goes from entry to entry
/// sees what a reader of the directory sees, and no byte belongs to two entries, which is how small
/// archives unpack to terabytes (Fifield, "A better zip bomb", 2019).
final class ZipLayout {
  private ZipLayout() {}

  /// Checks every entry, directories too.
  ///
  /// @return where an entry's compressed bytes begin, by where its header does
  /// @throws BadZipException naming the entry that lies elsewhere
  static Map<Long, Long> check(ZipDirectory directory, ZipDirectory.Listing listing)
      throws IOException {
    List<ZipEntryHeader> entries = new ArrayList<>(listing.entries());
    entries.sort(Comparator.comparingLong(ZipEntryHeader::headerOffset));
    Map<Long, Long> dataOffsets = new HashMap<>();
    for (int i = 0; i < entries.size(); i++) {
      ZipEntryHeader entry = entries.get(i);
      boolean isLast = i + 1 == entries.size();
      long next = isLast ? listing.offset() : entries.get(i + 1).headerOffset();
      ZipDirectory.Local local = directory.local(entry);
      if (i == 0 && entry.headerOffset() != 0) {
        throw new BadZipException("has something before its first entry, " + entry.label());
      }
      long end = local.data() + entry.compressedSize();
      if (end > next) {
        ZipEntryHeader second = isLast ? entry : entries.get(i + 1);
        throw new BadZipException("has entry " + second.label() + " that overlaps another one");
      }
      if (local.hasDescriptor()) {
        directory.checkDescriptor(entry, end, next - end);
      } else if (end < next) {
        throw new BadZipException("has something after entry " + entry.label());
      }
      dataOffsets.put(entry.headerOffset(), local.data());
    }
    return dataOffsets;
  }
}
