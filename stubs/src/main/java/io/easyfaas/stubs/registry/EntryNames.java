package io.easyfaas.stubs.registry;

import static io.easyfaas.stubs.registry.FunctionLimits.invalid;
import static io.easyfaas.stubs.registry.FunctionLimits.quoted;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.wire.ApiException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// The names in a zip, checked to unpack to one tree below one directory: no way out, nothing
/// twice, nothing both a file and a directory. Not thread-safe.
final class EntryNames {
  private static final int MAX_NAME_BYTES = 1024;
  private static final int MAX_DEPTH = 64;
  private static final int MAX_DIRECTORIES = 20_000; // As many as entries.

  private final Set<String> files = new HashSet<>();
  private final Set<String> directories = new HashSet<>();

  /// Adds an entry; one that ends in a slash is a directory.
  ///
  /// @throws ApiException naming the entry and what was expected
  void add(String name) {
    if (name.isEmpty() || name.getBytes(UTF_8).length > MAX_NAME_BYTES) {
      throw invalid("Code: entry", quoted(name), "a name of 1 to " + MAX_NAME_BYTES + " bytes");
    }
    if (name.startsWith("/") || name.indexOf('\\') >= 0 || name.indexOf('\0') >= 0) {
      throw invalid("Code: entry", quoted(name), "a relative path with forward slashes");
    }
    boolean isDirectory = name.endsWith("/");
    List<String> segments = segments(name, isDirectory);
    int parents = isDirectory ? segments.size() : segments.size() - 1;
    if (parents > MAX_DEPTH || directories.size() > MAX_DIRECTORIES) {
      throw invalid(
          "Code: entry",
          quoted(name),
          "at most " + MAX_DEPTH + " directories deep, and " + MAX_DIRECTORIES + " directories");
    }
    for (int depth = 1; depth <= parents; depth++) {
      directories.add(String.join("/", segments.subList(0, depth)));
    }
    if (!isDirectory && !files.add(String.join("/", segments))) {
      throw invalid("Code: entry", quoted(name), "every file once");
    }
  }

  /// Checks what can only be seen when all names are known.
  ///
  /// @throws ApiException naming an entry and what was expected
  void checkWhole() {
    if (files.isEmpty()) {
      throw invalid("Code", "a zip without files", "a zip with the handler's module");
    }
    for (String file : files) {
      if (directories.contains(file)) {
        throw invalid("Code: entry", quoted(file), "a file or a directory, not both");
      }
    }
  }

  private static List<String> segments(String name, boolean isDirectory) {
    String bare = isDirectory ? name.substring(0, name.length() - 1) : name;
    List<String> segments = new ArrayList<>();
    for (String segment : bare.split("/", -1)) {
      if (segment.isEmpty() || segment.equals("..")) {
        throw invalid("Code: entry", quoted(name), "a path without .. and empty segments");
      }
      if (!segment.equals(".")) {
        segments.add(segment);
      }
    }
    if (segments.isEmpty() && !isDirectory) {
      throw invalid("Code: entry", quoted(name), "the name of a file");
    }
    return segments;
  }
}
