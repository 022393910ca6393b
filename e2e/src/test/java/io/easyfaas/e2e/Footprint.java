package io.easyfaas.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// What an engine has on the machine besides its own process, found out from outside: by looking at
/// its process tree while it runs, and by its directories. Thread-safe.
final class Footprint {
  private static final Path CGROUPS = Path.of("/sys/fs/cgroup");
  private static final String GROUP_PREFIX = "easyfaas-";

  private final Path directory;
  private final Map<Long, Instant> processes = new ConcurrentHashMap<>();
  private final Set<String> groups = ConcurrentHashMap.newKeySet();

  /// @param directory the parent of the engine's directories
  Footprint(Path directory) {
    this.directory = directory;
  }

  /// Takes down which processes and control groups the engine has now.
  void observe(ProcessHandle engine) {
    engine
        .descendants()
        .forEach(process -> {
          process.info().startInstant().ifPresent(start -> processes.put(process.pid(), start));
          groups.addAll(groupsOf(process.pid()));
        });
  }

  /// Processes that run although the engine has ended: its descendants, what is in its control
  /// groups, and what has one of its files in the command line.
  List<String> processes() {
    List<String> found = new ArrayList<>();
    ProcessHandle.allProcesses()
        .filter(this::isOurs)
        .forEach(process -> found.add(process.pid() + " " + commandLine(process.pid())));
    return found;
  }

  /// Control groups of the engine that exist, in any hierarchy.
  List<Path> controlGroups() {
    if (groups.isEmpty()) {
      return List.of();
    }
    return Tree.find(CGROUPS, 8, (path, _) -> groups.contains(path.getFileName().toString()));
  }

  /// Control groups of every engine on this machine.
  static Set<String> engineGroups() {
    return Tree.find(
            CGROUPS, 8, (path, _) -> path.getFileName().toString().startsWith(GROUP_PREFIX))
        .stream()
        .map(Path::toString)
        .collect(Collectors.toSet());
  }

  /// Mount points below the engine's directories.
  List<String> mounts() {
    return lines(Path.of("/proc/self/mountinfo")).stream()
        .filter(line -> line.contains(directory + "/"))
        .toList();
  }

  /// Sockets in the engine's directories.
  List<Path> sockets() {
    return Tree.find(directory, 16, (_, attributes) -> attributes.isOther());
  }

  /// Network devices of pairs, and named network namespaces, of the whole machine.
  static Set<String> networks() {
    Set<String> names = new TreeSet<>();
    for (Path place : List.of(Path.of("/sys/class/net"), Path.of("/run/netns"))) {
      if (Files.isDirectory(place)) {
        try (Stream<Path> entries = Files.list(place)) {
          entries.map(Path::toString).forEach(names::add);
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
    }
    return names;
  }

  private boolean isOurs(ProcessHandle process) {
    Instant started = processes.get(process.pid());
    Optional<Instant> startedNow = process.info().startInstant();
    if (started != null && startedNow.isPresent() && startedNow.get().equals(started)) {
      return true;
    }
    return groupsOf(process.pid()).stream().anyMatch(groups::contains)
        || commandLine(process.pid()).contains(directory.toString());
  }

  private static Set<String> groupsOf(long pid) {
    Set<String> names = new TreeSet<>();
    for (String line : lines(Path.of("/proc", Long.toString(pid), "cgroup"))) {
      for (String name : line.split("/")) {
        if (name.startsWith(GROUP_PREFIX)) {
          names.add(name);
          break;
        }
      }
    }
    return names;
  }

  private static String commandLine(long pid) {
    try {
      byte[] bytes = Files.readAllBytes(Path.of("/proc", Long.toString(pid), "cmdline"));
      return new String(bytes, UTF_8).replace('\0', ' ');
    } catch (IOException _) {
      return ""; // It has ended.
    }
  }

  private static List<String> lines(Path file) {
    try {
      return Files.readAllLines(file);
    } catch (IOException _) {
      return List.of(); // The process has ended.
    }
  }
}
