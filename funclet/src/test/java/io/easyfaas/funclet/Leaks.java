package io.easyfaas.funclet;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.funclet.cgroup.EngineCgroups;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/// What an engine may leave behind on a machine, and must not: processes, control groups, mounts,
/// sockets, descriptors. A network namespace lasts as long as a process, mount or descriptor of it.
final class Leaks {
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final Path home;
  private final List<String> descriptors;

  /// Remembers how things are before the engine.
  ///
  /// @param home the directory with the engine's data and sockets
  Leaks(Path home) {
    this.home = home;
    openAndCloseASocket();
    this.descriptors = descriptors();
  }

  /// The first socket makes the virtual machine open one of its own, which it keeps.
  private static void openAndCloseASocket() {
    try {
      SocketChannel.open(StandardProtocolFamily.UNIX).close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Fails when anything is left. What ends by itself gets 5 s.
  void assertNone() {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!found().isEmpty() && System.nanoTime() < deadline) {
      LockSupport.parkNanos(1_000_000);
    }
    assertThat(found()).as("what the engine left behind").isEmpty();
  }

  private List<String> found() {
    List<String> leaks = new ArrayList<>();
    String group = engineGroup();
    processes(group).forEach(pid -> leaks.add("process " + pid));
    groups(group).forEach(path -> leaks.add("control group " + path));
    mounts().forEach(line -> leaks.add("mount " + line));
    sockets().forEach(path -> leaks.add("socket " + path));
    descriptors().stream()
        .filter(target -> !descriptors.contains(target))
        .forEach(target -> leaks.add("descriptor " + target));
    return leaks;
  }

  /// The engine's group as its lock file names it, or a name nobody has.
  private String engineGroup() {
    if (!Files.isDirectory(home.resolve("data"))) {
      return "easyfaas-none";
    }
    try (EngineLock lock = EngineLock.ofData(home.resolve("data"))) {
      return EngineCgroups.PREFIX + lock.engineId();
    }
  }

  private static List<Long> processes(String group) {
    List<Long> found =
        new ArrayList<>(ProcessHandle.current().descendants().map(ProcessHandle::pid).toList());
    ProcessHandle.allProcesses()
        .map(ProcessHandle::pid)
        .filter(pid -> read(Path.of("/proc/" + pid + "/cgroup")).contains(group))
        .forEach(found::add);
    return found;
  }

  static List<Path> groups(String group) {
    // Two levels below a hierarchy are enough: the engine's groups are below this process's own.
    try (Stream<Path> found =
        Files.find(
            Path.of("/sys/fs/cgroup"),
            6,
            (path, attributes) -> attributes.isDirectory() && path.endsWith(group))) {
      return found.toList();
    } catch (UncheckedIOException _) {
      return List.of(); // Somebody else's group went away while we looked.
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private List<String> mounts() {
    return read(Path.of("/proc/self/mountinfo"))
        .lines()
        .filter(line -> line.contains(home.toString()))
        .toList();
  }

  private List<Path> sockets() {
    if (!Files.isDirectory(home.resolve("run"))) {
      return List.of();
    }
    try (Stream<Path> found =
        Files.find(home.resolve("run"), 2, (_, attributes) -> attributes.isOther())) {
      return found.toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Sockets, pipes and files of ours; the virtual machine opens others when it likes.
  private List<String> descriptors() {
    try (Stream<Path> found = Files.list(Path.of("/proc/self/fd"))) {
      return found
          .map(Leaks::target)
          .filter(target ->
              target.startsWith("socket:")
                  || target.startsWith("pipe:")
                  || target.startsWith(home.toString()))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String target(Path link) {
    try {
      return Files.readSymbolicLink(link).toString();
    } catch (IOException _) {
      return "";
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException _) {
      return "";
    }
  }
}
