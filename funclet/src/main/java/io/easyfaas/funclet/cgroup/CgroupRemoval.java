package io.easyfaas.funclet.cgroup;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Empties and removes groups, whatever a killed engine left in them.
public final class CgroupRemoval {
  private static final Logger LOG = LoggerFactory.getLogger(CgroupRemoval.class);
  // What is killed needs the processor to die, and may have little of it on a busy machine.
  private static final Duration TIMEOUT = Duration.ofSeconds(15);
  private static final Duration PAUSE = Duration.ofMillis(2);

  private CgroupRemoval() {}

  /// Thaws, kills and removes these groups and all below them. Groups that do not exist are left
  /// out. At most 15 s.
  ///
  /// The same processes are usually in several of the groups, one a hierarchy. All are thawed
  /// before any is killed: a process frozen by a version 1 freezer does not die until it is thawed.
  ///
  /// @return how many processes were killed
  /// @throws CgroupException when a group cannot be emptied or removed in time
  public static int remove(List<Path> groups) {
    long deadline = System.nanoTime() + TIMEOUT.toNanos();
    List<Path> all =
        groups.stream().flatMap(group -> withAllBelow(group, deadline)).distinct().toList();
    all.forEach(CgroupRemoval::thaw);
    int killed = kill(all, deadline);
    for (Path group : all) {
      removeEmpty(group, deadline);
    }
    return killed;
  }

  /// What goes away as we look makes us look again: only a group that does not exist is left out.
  private static Stream<Path> withAllBelow(Path group, long deadline) {
    while (Files.exists(group)) {
      try (Stream<Path> found = Files.walk(group)) {
        return found
            .filter(Files::isDirectory)
            .sorted(Comparator.comparingInt(Path::getNameCount).reversed())
            .toList()
            .stream();
      } catch (IOException | UncheckedIOException e) {
        if (System.nanoTime() > deadline) {
          throw new CgroupException("look into " + group + ": " + e.getMessage(), e);
        }
      }
    }
    return Stream.empty();
  }

  private static void thaw(Path group) {
    try {
      if (Files.exists(group.resolve("freezer.state"))) {
        ControlFile.in(group, "freezer.state").tryWrite("THAWED");
      }
      if (Files.exists(group.resolve("cgroup.freeze"))) {
        ControlFile.in(group, "cgroup.freeze").tryWrite("0");
      }
    } catch (IOException e) {
      LOG.warn("thaw {}: {}", group, e.getMessage()); // The root of a hierarchy has no state.
    }
  }

  private static int kill(List<Path> groups, long deadline) {
    Set<Long> killed = new TreeSet<>();
    while (true) {
      Set<Long> left = new TreeSet<>();
      groups.forEach(group -> left.addAll(processes(group)));
      if (left.isEmpty()) {
        return killed.size();
      }
      if (System.nanoTime() > deadline) {
        throw new CgroupException(
            "kill processes " + left + " in " + groups + ": still there", null);
      }
      killed.addAll(left);
      left.forEach(pid -> ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly));
      LockSupport.parkNanos(PAUSE.toNanos());
    }
  }

  private static Set<Long> processes(Path group) {
    Set<Long> pids = new TreeSet<>();
    try {
      Files.readAllLines(group.resolve("cgroup.procs"))
          .forEach(line -> pids.add(Long.parseLong(line)));
    } catch (IOException _) {
      return pids; // Removed in the meantime.
    }
    return pids;
  }

  private static void removeEmpty(Path group, long deadline) {
    while (true) {
      try {
        Files.deleteIfExists(group);
        return;
      } catch (IOException e) {
        // A process that was just reaped keeps its group busy for a moment.
        if (System.nanoTime() > deadline) {
          throw new CgroupException("remove " + group + ": " + e.getMessage(), e);
        }
        LockSupport.parkNanos(PAUSE.toNanos());
      }
    }
  }
}
