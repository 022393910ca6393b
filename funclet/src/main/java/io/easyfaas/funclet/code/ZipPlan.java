package io.easyfaas.funclet.code;

import io.easyfaas.funclet.code.ZipEntryHeader.Kind;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// What an archive's directory would make, checked as a whole before anything is made. Pure.
///
/// @param entries by clean relative path, in the archive's order
record ZipPlan(Map<String, ZipEntryHeader> entries) {
  /// What an archive may be at most.
  ///
  /// @param entries files, directories and links
  /// @param bytes unpacked
  /// @param ratio unpacked to packed size of one entry
  /// @param ratioFreeBytes entries up to this size may have any ratio: a small file of blanks is no
  ///   bomb
  record Limits(int entries, long bytes, int ratio, long ratioFreeBytes) {
    /// The engine's limits.
    static final Limits STANDARD = new Limits(20_000, 256L << 20, 200, 1L << 20);
  }

  private static final int MAX_PATH_CHARACTERS = 1024;
  private static final int MAX_LINK_HOPS = 40; // As the kernel, see path_resolution(7).
  private static final int MAX_LINK_STEPS = 200_000; // Of all links together.
  private static final int MAX_DEPTH = 64;

  /// Keeps the order.
  ZipPlan {
    entries = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(entries));
  }

  /// Checks names, kinds and claimed sizes.
  ///
  /// @throws BadArchiveException naming the entry and what was expected
  static ZipPlan of(List<ZipEntryHeader> headers, Limits limits) throws BadArchiveException {
    Map<String, ZipEntryHeader> entries = new LinkedHashMap<>();
    long total = 0;
    for (ZipEntryHeader entry : headers) {
      String path = cleanPath(entry.name());
      checkKind(entry);
      checkSize(entry, limits);
      if (entry.size() > limits.bytes() - total) { // Not a sum: the sizes are claims up to 2^63.
        throw new BadArchiveException(
            "unpacks to more than "
                + limits.bytes()
                + " bytes with entry \""
                + entry.name()
                + "\" (expected: at most that)");
      }
      total += entry.size();
      if (!path.isEmpty() && entries.put(path, entry) != null) {
        throw new BadArchiveException("has entry \"" + entry.name() + "\" twice");
      }
    }
    Set<String> made = new HashSet<>(entries.keySet());
    for (String path : entries.keySet()) {
      checkParents(path, entries, made, limits);
    }
    return new ZipPlan(entries);
  }

  /// Checks that no symbolic link leads out of the archive, also by way of other links.
  ///
  /// @param targets path of each link to what it contains
  /// @throws BadArchiveException naming the link
  static void checkLinks(Map<String, String> targets) throws BadArchiveException {
    int steps = MAX_LINK_STEPS;
    for (String link : targets.keySet()) {
      steps = resolve(link, targets, steps);
    }
  }

  /// Follows one link with at most so many steps, and returns how many are left.
  private static int resolve(String link, Map<String, String> targets, int steps)
      throws BadArchiveException {
    int left = steps;
    Deque<String> todo = new ArrayDeque<>(List.of(link.split("/")));
    Deque<String> at = new ArrayDeque<>();
    int hops = 0;
    while (!todo.isEmpty()) {
      if (--left < 0) {
        throw new BadArchiveException(
            "has symbolic links that lead through more than "
                + MAX_LINK_STEPS
                + " directories (expected: at most that)");
      }
      String step = todo.pop();
      if (step.isEmpty() || step.equals(".")) {
        continue;
      }
      if (step.equals("..")) {
        if (at.pollLast() == null) {
          throw leaves(link, targets);
        }
        continue;
      }
      at.addLast(step);
      String target = targets.get(String.join("/", at));
      if (target != null) {
        at.removeLast();
        if (target.startsWith("/") || target.isEmpty() || target.indexOf('\0') >= 0) {
          throw leaves(link, targets);
        }
        if (++hops > MAX_LINK_HOPS) {
          throw new BadArchiveException(
              "has the symbolic link \"" + link + "\", which goes in circles");
        }
        List.of(target.split("/")).reversed().forEach(todo::push);
      }
    }
    return left;
  }

  private static BadArchiveException leaves(String link, Map<String, String> targets) {
    return new BadArchiveException(
        "has the symbolic link \""
            + link
            + "\" to \""
            + targets.get(link)
            + "\" (expected: a relative target inside of the archive)");
  }

  private static String cleanPath(String name) throws BadArchiveException {
    if (name.startsWith("/") || name.indexOf('\\') >= 0 || name.indexOf('\0') >= 0) {
      throw new BadArchiveException(
          "has entry \"" + name.replace("\0", "\\0") + "\" (expected: a relative path with '/')");
    }
    StringBuilder path = new StringBuilder();
    for (String segment : name.split("/")) {
      if (segment.equals("..")) {
        throw new BadArchiveException("has entry \"" + name + "\" (expected: no \"..\")");
      }
      if (!segment.isEmpty() && !segment.equals(".")) {
        path.append(path.isEmpty() ? "" : "/").append(segment);
      }
    }
    if (path.length() > MAX_PATH_CHARACTERS) {
      throw new BadArchiveException(
          "has an entry whose name has "
              + path.length()
              + " characters (expected: at most "
              + MAX_PATH_CHARACTERS
              + ")");
    }
    return path.toString();
  }

  private static void checkKind(ZipEntryHeader entry) throws BadArchiveException {
    if (entry.isEncrypted()) {
      throw new BadArchiveException("has the encrypted entry \"" + entry.name() + "\"");
    }
    if (entry.kind() == Kind.OTHER) {
      throw new BadArchiveException(
          "has entry \"" + entry.name() + "\" (expected: a file, directory or symbolic link)");
    }
    if (entry.method() != 0 && entry.method() != 8) {
      throw new BadArchiveException(
          "has entry \""
              + entry.name()
              + "\" with compression method "
              + entry.method()
              + " (expected: stored or deflated)");
    }
  }

  private static void checkSize(ZipEntryHeader entry, Limits limits) throws BadArchiveException {
    if (entry.size() > limits.ratioFreeBytes()
        && entry.size() / limits.ratio() > entry.compressedSize()) {
      throw new BadArchiveException(
          "has entry \""
              + entry.name()
              + "\" that unpacks from "
              + entry.compressedSize()
              + " to "
              + entry.size()
              + " bytes (expected: at most "
              + limits.ratio()
              + " times)");
    }
    if (entry.kind() == Kind.SYMLINK && entry.size() > MAX_PATH_CHARACTERS) {
      throw new BadArchiveException(
          "has the symbolic link \""
              + entry.name()
              + "\" with a target of "
              + entry.size()
              + " bytes");
    }
  }

  /// Nothing may lie below a file or a link: with a link in the path it would land elsewhere. The
  /// directories that an entry implies count like entries.
  private static void checkParents(
      String path, Map<String, ZipEntryHeader> entries, Set<String> made, Limits limits)
      throws BadArchiveException {
    int depth = 0;
    for (int slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
      String directory = path.substring(0, slash);
      made.add(directory);
      if (++depth > MAX_DEPTH || made.size() > limits.entries()) {
        throw new BadArchiveException(
            "has entry \""
                + path
                + "\" (expected: at most "
                + MAX_DEPTH
                + " directories deep, and "
                + limits.entries()
                + " files and directories)");
      }
      ZipEntryHeader parent = entries.get(directory);
      if (parent != null && parent.kind() != Kind.DIRECTORY) {
        throw new BadArchiveException(
            "has entry \"" + path + "\" below \"" + parent.name() + "\", which is no directory");
      }
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

  /// Checks that no two entries share bytes of the archive, which is how small archives unpack to
  /// terabytes (Fifield, "A better zip bomb", 2019).
  ///
  /// @param dataOffsets path to where its bytes begin
  /// @throws BadArchiveException naming the second of two
  void checkOverlap(Map<String, Long> dataOffsets) throws BadArchiveException {
    Map<Long, String> byStart = new java.util.TreeMap<>();
    Map<String, Long> ends = new HashMap<>();
    for (Map.Entry<String, ZipEntryHeader> entry : entries.entrySet()) {
      long data = dataOffsets.getOrDefault(entry.getKey(), 0L);
      ends.put(entry.getKey(), data + entry.getValue().compressedSize());
      if (byStart.put(entry.getValue().headerOffset(), entry.getKey()) != null) {
        throw overlapping(entry.getKey());
      }
    }
    long end = 0;
    for (Map.Entry<Long, String> start : byStart.entrySet()) {
      if (start.getKey() < end) {
        throw overlapping(start.getValue());
      }
      end = ends.getOrDefault(start.getValue(), 0L);
    }
  }

  private static BadArchiveException overlapping(String path) {
    return new BadArchiveException("has entry \"" + path + "\" that overlaps another one");
  }
}
