package io.easyfaas.common.zip;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.zip.ZipEntryHeader.Kind;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// What an archive's directory would make, checked as a whole before anything is made. Pure.
///
/// @param entries files and links by clean relative path, in the archive's order
/// @param directories by clean relative path, also those that are only implied; parents first
record ZipPlan(Map<String, ZipEntryHeader> entries, Set<String> directories) {
  /// The longest name of an entry.
  static final int MAX_PATH_BYTES = 1024;

  private static final int MAX_SEGMENT_BYTES = 255; // As every file system, see path_resolution(7).
  private static final int MAX_DEPTH = 64;

  /// Characters that may be kept besides the entries' names, together: of directories, which the
  /// names go through in ever other ways, and of links' targets.
  static final int MAX_OTHER_NAMES = 1 << 20;

  /// Not copies: there may be 20,000, and nobody else has them.
  ZipPlan {
    entries = Collections.unmodifiableMap(entries);
    directories = Collections.unmodifiableSet(directories);
  }

  /// Checks names, kinds and claimed sizes.
  ///
  /// @param archiveBytes size of the archive
  /// @throws BadZipException naming the entry and what was expected
  static ZipPlan of(List<ZipEntryHeader> headers, long archiveBytes, ZipLimits limits)
      throws BadZipException {
    Map<String, ZipEntryHeader> entries = new LinkedHashMap<>();
    Set<String> directories = new LinkedHashSet<>();
    long mostBytes = mostUnpacked(archiveBytes, limits);
    long total = 0;
    long otherNames = 0;
    for (ZipEntryHeader entry : headers) {
      String path = cleanPath(entry);
      checkKind(entry, path);
      if (entry.size() > mostBytes - total) { // Not a sum: the sizes are claims up to 2^63.
        throw new BadZipException(
            "unpacks to more than it may with entry "
                + entry.label()
                + " (expected: at most "
                + limits.bytes()
                + " bytes, and from "
                + limits.ratioFreeBytes()
                + " on at most "
                + limits.ratio()
                + " times the zip)");
      }
      total += entry.size();
      boolean isDirectory = entry.kind() == Kind.DIRECTORY;
      if (!isDirectory && entries.put(path, entry) != null) {
        throw new BadZipException("has entry " + entry.label() + " twice");
      }
      otherNames += addDirectories(isDirectory ? path + "/" : path, directories, entry);
      otherNames += entry.kind() == Kind.SYMLINK ? entry.size() : 0;
      otherNames += isDirectory || path.length() == entry.name().length() ? 0 : path.length();
      if (otherNames > MAX_OTHER_NAMES) {
        throw new BadZipException(
            "has entry "
                + entry.label()
                + " (expected: directories and targets of links of at most "
                + MAX_OTHER_NAMES
                + " characters together)");
      }
      if (entries.size() + directories.size() > limits.entries()) {
        throw new BadZipException(
            "has entry "
                + entry.label()
                + " (expected: at most "
                + limits.entries()
                + " files and directories)");
      }
    }
    checkWhole(entries, directories);
    return new ZipPlan(entries, directories);
  }

  private static long mostUnpacked(long archiveBytes, ZipLimits limits) {
    long byRatio = Math.max(limits.ratioFreeBytes(), archiveBytes * limits.ratio());
    return Math.min(limits.bytes(), byRatio);
  }

  private static String cleanPath(ZipEntryHeader entry) throws BadZipException {
    String name = entry.name();
    if (name.startsWith("/") || name.indexOf('\\') >= 0 || name.indexOf('\0') >= 0) {
      throw new BadZipException(
          "has entry " + entry.label() + " (expected: a relative path with '/', without NUL)");
    }
    StringBuilder path = new StringBuilder();
    for (String segment : name.split("/")) {
      if (segment.equals("..")) {
        throw new BadZipException("has entry " + entry.label() + " (expected: no \"..\")");
      }
      if (segment.getBytes(UTF_8).length > MAX_SEGMENT_BYTES) {
        throw new BadZipException(
            "has entry "
                + entry.label()
                + " (expected: names of at most "
                + MAX_SEGMENT_BYTES
                + " bytes between '/')");
      }
      if (!segment.isEmpty() && !segment.equals(".")) {
        path.append(path.isEmpty() ? "" : "/").append(segment);
      }
    }
    if (path.toString().getBytes(UTF_8).length > MAX_PATH_BYTES) {
      throw new BadZipException(
          "has entry " + entry.label() + " (expected: at most " + MAX_PATH_BYTES + " bytes)");
    }
    return name.contentEquals(path) ? name : path.toString();
  }

  private static void checkKind(ZipEntryHeader entry, String path) throws BadZipException {
    if (entry.isEncrypted()) {
      throw new BadZipException("has the encrypted entry " + entry.label());
    }
    boolean isNamedAsDirectory =
        path.isEmpty() || entry.name().endsWith("/") || entry.name().endsWith("/.");
    if (entry.kind() == Kind.OTHER || (entry.kind() != Kind.DIRECTORY && isNamedAsDirectory)) {
      throw new BadZipException(
          "has entry " + entry.label() + " (expected: a file, directory or symbolic link)");
    }
    if (entry.kind() == Kind.DIRECTORY && entry.size() > 0) {
      throw new BadZipException("has the directory " + entry.label() + " with content");
    }
    if (entry.kind() == Kind.SYMLINK && entry.size() > MAX_PATH_BYTES) {
      throw new BadZipException(
          "has the symbolic link "
              + entry.label()
              + " with a target of "
              + entry.size()
              + " bytes (expected: at most "
              + MAX_PATH_BYTES
              + ")");
    }
    if (entry.method() == 0 && entry.compressedSize() != entry.size()) {
      throw new BadZipException(
          "has the stored entry "
              + entry.label()
              + " of "
              + entry.compressedSize()
              + " bytes (expected: "
              + entry.size()
              + ", as it says itself)");
    }
    if (entry.method() != 0 && entry.method() != 8) {
      throw new BadZipException(
          "has entry "
              + entry.label()
              + " with compression method "
              + entry.method()
              + " (expected: stored or deflated)");
    }
  }

  /// Adds every directory that a path goes through. Returns the characters of those that are new.
  private static long addDirectories(String path, Set<String> directories, ZipEntryHeader entry)
      throws BadZipException {
    int depth = 0;
    long characters = 0;
    for (int slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
      if (slash > 0 && directories.add(path.substring(0, slash))) {
        characters += slash;
      }
      if (++depth > MAX_DEPTH) {
        throw new BadZipException(
            "has entry "
                + entry.label()
                + " (expected: at most "
                + MAX_DEPTH
                + " directories deep)");
      }
    }
    return characters;
  }

  /// Nothing may lie below a file or a link: with a link in the path it would land elsewhere.
  private static void checkWhole(Map<String, ZipEntryHeader> entries, Set<String> directories)
      throws BadZipException {
    for (String directory : directories) {
      ZipEntryHeader other = entries.get(directory);
      if (other != null) {
        throw new BadZipException(
            "has entry " + other.label() + " and others below it (expected: a directory, or none)");
      }
    }
    if (entries.values().stream().noneMatch(entry -> entry.kind() == Kind.FILE)) {
      throw new BadZipException("has no file");
    }
  }

  /// The entries of one kind, by path.
  Map<String, ZipEntryHeader> ofKind(Kind kind) {
    Map<String, ZipEntryHeader> found = new LinkedHashMap<>();
    entries.forEach((path, entry) -> {
      if (entry.kind() == kind) {
        found.put(path, entry);
      }
    });
    return found;
  }
}
