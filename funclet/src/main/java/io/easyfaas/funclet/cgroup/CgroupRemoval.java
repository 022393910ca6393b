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
  /// What forks while it is looked for could outrun its end, so all of a group is killed in one go:
  /// by `cgroup.kill`, or paused, listed and killed where that is not there. The same processes are
  /// usually in several of the groups, one a hierarchy. A group is never used again after this,
  /// even if it could not be removed: Linux 6.18 kills whatever is cloned into it.
  ///
  /// @return how many processes were killed
  /// @throws CgroupException when a group cannot be emptied or removed in time
  public static int remove(List<Path> groups) {
    return remove(groups, TIMEOUT);
  }

  static int remove(List<Path> groups, Duration timeout) {
    long deadline = System.nanoTime() + timeout.toNanos();
    List<Path> all =
        groups.stream().flatMap(group -> withAllBelow(group, deadline)).distinct().toList();
    int killed = kill(groups, all, deadline);
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

  private static int kill(List<Path> groups, List<Path> all, long deadline) {
    Set<Long> killed = new TreeSet<>();
    while (true) {
      Set<Long> left = processes(all);
      if (left.isEmpty()) {
        return killed.size();
      }
      if (System.nanoTime() > deadline) {
        throw new CgroupException(
            "kill processes " + left + " in " + groups + ": still there", null);
      }
      killed.addAll(left);
      groups.forEach(CgroupRemoval::killTogether);
      processes(all)
          .forEach(pid -> ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly));
      all.forEach(CgroupRemoval::thaw); // What a version 1 freezer has paused dies only then.
      LockSupport.parkNanos(PAUSE.toNanos());
    }
  }

  /// Kills all that is in a group and below it, or keeps it from forking until it is thawed.
  private static void killTogether(Path group) {
    try {
      if (Files.exists(group.resolve("cgroup.kill"))) {
        ControlFile.in(group, "cgroup.kill").tryWrite("1");
      } else if (Files.exists(group.resolve("cgroup.freeze"))) {
        new Freezer(group, true).freeze();
      } else if (Files.exists(group.resolve("freezer.state"))) {
        new Freezer(group, false).freeze();
      }
    } catch (IOException | CgroupException e) {
      LOG.debug("kill {} in one go: {}", group, e.getMessage()); // Then one by one.
    }
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

  private static Set<Long> processes(List<Path> groups) {
    Set<Long> pids = new TreeSet<>();
    for (Path group : groups) {
      try {
        Files.readAllLines(group.resolve("cgroup.procs"))
            .forEach(line -> pids.add(Long.parseLong(line)));
      } catch (IOException e) {
        LOG.debug("{}: {}", group, e.getMessage()); // Removed in the meantime.
      }
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
