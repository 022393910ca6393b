package io.easyfaas.e2e;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/// What a process has open, from `/proc/PID/fd`.
final class Descriptors {
  private static final int INODE_COLUMN = 9; // Of proc_pid_net(5) tcp, counted from 0.

  private Descriptors() {}

  /// How many there are, connections of clients included.
  static int count(long pid) {
    try (Stream<Path> entries = Files.list(Path.of("/proc", Long.toString(pid), "fd"))) {
      return (int) entries.count();
    } catch (IOException _) {
      return 0; // The process has ended.
    }
  }

  /// Everything but TCP sockets, which belong to clients, and jars, which are opened when a class
  /// is first needed.
  static List<String> of(long pid) {
    Set<String> tcp = tcpSockets();
    List<String> open = new ArrayList<>();
    try (Stream<Path> entries = Files.list(Path.of("/proc", Long.toString(pid), "fd"))) {
      for (Path entry : entries.toList()) {
        String target = target(entry);
        if (!target.isEmpty() && !tcp.contains(target) && !target.endsWith(".jar")) {
          open.add(target);
        }
      }
    } catch (IOException _) {
      return List.of(); // The process has ended.
    }
    return open;
  }

  private static String target(Path descriptor) throws IOException {
    try {
      return Files.readSymbolicLink(descriptor).toString();
    } catch (NoSuchFileException _) {
      return ""; // Closed since.
    }
  }

  private static Set<String> tcpSockets() {
    Set<String> sockets = new HashSet<>();
    for (String table : List.of("/proc/net/tcp", "/proc/net/tcp6")) {
      try (Stream<String> lines = Files.lines(Path.of(table))) {
        lines
            .skip(1)
            .map(line -> line.strip().split("\\s+"))
            .forEach(columns -> sockets.add("socket:[" + columns[INODE_COLUMN] + "]"));
      } catch (IOException e) {
        throw new java.io.UncheckedIOException(e);
      }
    }
    return sockets;
  }
}
