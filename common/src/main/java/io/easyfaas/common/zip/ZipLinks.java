package io.easyfaas.common.zip;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;

/// The symbolic links of an archive: none may lead out of it, also by way of others. Pure.
final class ZipLinks {
  private static final int MAX_HOPS = 40; // As the kernel, see path_resolution(7).
  private static final int MAX_STEPS = 200_000; // Of all links together.

  private final Map<String, String> targets;
  private int stepsLeft = MAX_STEPS;

  private ZipLinks(Map<String, String> targets) {
    this.targets = targets;
  }

  /// Checks all links.
  ///
  /// @param targets path of each link to what it contains
  /// @throws BadZipException naming the link
  static void check(Map<String, String> targets) throws BadZipException {
    ZipLinks links = new ZipLinks(targets);
    for (String link : targets.keySet()) {
      links.follow(link);
    }
  }

  private void follow(String link) throws BadZipException {
    Deque<String> todo = new ArrayDeque<>(List.of(link.split("/")));
    Deque<String> at = new ArrayDeque<>();
    int hops = 0;
    while (!todo.isEmpty()) {
      if (--stepsLeft < 0) {
        throw new BadZipException(
            "has symbolic links that lead through more than "
                + MAX_STEPS
                + " directories (expected: at most that)");
      }
      String step = todo.pop();
      if (step.isEmpty() || step.equals(".")) {
        continue;
      }
      if (step.equals("..")) {
        if (at.pollLast() == null) {
          throw leaves(link);
        }
        continue;
      }
      at.addLast(step);
      String target = targets.get(String.join("/", at));
      if (target != null) {
        at.removeLast();
        if (target.startsWith("/") || target.isEmpty() || target.indexOf('\0') >= 0) {
          throw leaves(link);
        }
        if (++hops > MAX_HOPS) {
          throw new BadZipException(
              "has the symbolic link " + ZipEntryHeader.label(link) + ", which goes in circles");
        }
        List.of(target.split("/")).reversed().forEach(todo::push);
      }
    }
  }

  private BadZipException leaves(String link) {
    return new BadZipException(
        "has the symbolic link "
            + ZipEntryHeader.label(link)
            + " to "
            + ZipEntryHeader.label(targets.getOrDefault(link, ""))
            + " (expected: a relative target inside of the archive)");
  }
}
