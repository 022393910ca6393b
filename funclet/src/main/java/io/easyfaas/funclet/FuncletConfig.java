package io.easyfaas.funclet;

import static java.util.Objects.requireNonNull;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.config.ConfigException;
import io.easyfaas.common.config.Option;
import io.easyfaas.common.config.Settings;
import io.easyfaas.common.config.SocketPath;
import io.easyfaas.common.disk.DiskUse;
import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.common.wire.FuncletApi;
import io.easyfaas.funclet.code.CodePace;
import io.easyfaas.funclet.mount.SourceDirectories;
import io.easyfaas.funclet.mount.UidRange;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Configuration of funclet.
///
/// @param dataDir for code and file systems; one engine at a time
/// @param runDir for sockets
/// @param apiSocket where the API is served
/// @param podName first part of every container's id
/// @param containerNum slots
/// @param node what the machine has and keeps
/// @param runner what one slot has
/// @param codeCache what unpacked code may take of the disk
/// @param codePace how slowly code may come
/// @param sources where runtimes and code may be taken from on this machine
/// @param cgroupRoot where control groups are mounted
/// @param launcher the `easyfaas-launcher` program
public record FuncletConfig(
    Path dataDir,
    Path runDir,
    Path apiSocket,
    String podName,
    int containerNum,
    Node node,
    Runner runner,
    DiskUse codeCache,
    CodePace codePace,
    SourceDirectories sources,
    Path cgroupRoot,
    Path launcher) {
  /// What the machine has and keeps.
  ///
  /// @param totalMemory zero: the limit of the group the engine runs in, else what is installed
  /// @param reservedMemory kept for the engine itself; null: what this process may take at most
  /// @param totalCpu cores; 0: the quota of the group the engine runs in, else the processors
  public record Node(ByteSize totalMemory, @Nullable ByteSize reservedMemory, double totalCpu) {}

  /// What one slot has.
  ///
  /// @param memory unless its function asks for another amount
  /// @param cpuLimit cores at most; 0: as many as are free
  /// @param cpuRequest cores when all are wanted
  /// @param pidsMax processes and threads
  /// @param tmpSize of `/tmp`
  public record Runner(
      ByteSize memory, double cpuLimit, double cpuRequest, int pidsMax, ByteSize tmpSize) {
    /// Checks the sizes.
    public Runner {
      if (memory.bytes() == 0 || tmpSize.bytes() == 0) {
        throw new ConfigException(
            "--runner-memory: \"" + memory + "\", --tmp-size: \"" + tmpSize + "\" (expected: > 0)");
      }
    }
  }

  private static final String LAUNCHER_SOCKET = "launcher.sock";
  private static final double MAX_CORES = 4096;
  // In less no sandbox can be made.
  private static final ByteSize LEAST_MEMORY = ByteSize.ofMebibytes(1);

  // A function's directory and its one file, each in a block.
  private static final ByteSize LEAST_CODE = ByteSize.parse("8KiB");
  private static final int LEAST_CODE_INODES = 2;
  private static final Duration CODE_PATIENCE = Duration.ofSeconds(10); // As the reference.

  /// Checks what depends on more than one value.
  ///
  /// @throws ConfigException when an id or a socket's path would be too long
  public FuncletConfig {
    requireNonNull(dataDir, "dataDir");
    requireNonNull(launcher, "launcher");
    try {
      ContainerId _ = ContainerId.of(podName, containerNum - 1);
    } catch (IllegalArgumentException e) {
      throw new ConfigException("--pod-name: \"" + podName + "\": " + e.getMessage());
    }
    SocketPath.check("--run-dir", runDir.resolve(LAUNCHER_SOCKET));
  }

  /// Where the launcher connects to funclet.
  Path launcherSocket() {
    return runDir.resolve(LAUNCHER_SOCKET);
  }

  /// Whether the API's socket has a name that is funclet's own: elsewhere somebody's file may be in
  /// its place.
  boolean hasOwnApiSocket() {
    return apiSocket.equals(runDir.resolve(FuncletApi.SOCKET));
  }

  /// Every option with its default.
  public static List<Option> options() {
    return List.of(
        new Option("data-dir", "path", "/var/faas", "Code, root file system and other data."),
        new Option("run-dir", "path", "/var/run/faas", "Sockets."),
        new Option(
            "api-sock", "path", "", "API socket; default " + FuncletApi.SOCKET + " in --run-dir."),
        new Option(
            "pod-name", "name", "", "First part of container ids; default $MY_POD_NAME, funclet."),
        new Option("container-num", "number", "10", "Slots, 1 to 4096."),
        new Option(
            "total-memory", "size", "", "Memory to give away; default: the cgroup's or machine's."),
        new Option(
            "reserved-memory",
            "size",
            "",
            "Memory kept for the engine; default: what its process may take at most."),
        new Option("total-cpu", "cores", "", "Cores; default: the cgroup's or machine's."),
        new Option(
            "runner-memory", "size", "128MiB", "Memory of one slot by default; at least 1MiB."),
        new Option(
            "runner-cpu-limits",
            "cores",
            "0",
            "Most cores one slot may use; 0: all that are free. A limit also slows down starts."),
        new Option(
            "runner-cpu-requests", "cores", "0.2", "Cores one slot gets when all are wanted."),
        new Option("pids-max", "number", "256", "Processes and threads of one slot, 8 to 4194304."),
        new Option("tmp-size", "size", "64MiB", "Size of /tmp in a sandbox."),
        new Option("code-cache-size", "size", "2GiB", "Unpacked code that is kept; at least 8KiB."),
        new Option(
            "code-cache-inodes",
            "number",
            "200000",
            "Files and directories of unpacked code; at least 2."),
        new Option(
            "code-rate",
            "size",
            "8MiB",
            "Code has 10s to be fetched and unpacked, and 1s for each so much; at least 1MiB."),
        new Option(
            "function-dir", "path", "", "Where functions are stored; data-dir/functions if empty."),
        new Option(
            "source-dirs",
            "paths",
            "",
            "Where else runtimes and code may be taken from, separated by colons; always from"
                + " data-dir/runtimes and function-dir."),
        new Option("cgroup-root-path", "path", "/sys/fs/cgroup", "Where cgroups are mounted."),
        new Option(
            "launcher", "path", "", "The easyfaas-launcher program; default: beside the engine."));
  }

  /// Reads the configuration.
  ///
  /// @param args `--key value` or `--key=value`
  /// @param environment usually {@link System#getenv()}
  /// @throws ConfigException naming the key, the value and what was expected
  public static FuncletConfig parse(List<String> args, Map<String, String> environment) {
    Settings settings = Settings.parse(options(), args, environment);
    Path runDir = settings.path("run-dir");
    return new FuncletConfig(
        settings.path("data-dir"),
        runDir,
        settings.text("api-sock").isEmpty()
            ? runDir.resolve(FuncletApi.SOCKET)
            : settings.path("api-sock"),
        Stream.of(settings.text("pod-name"), environment.getOrDefault("MY_POD_NAME", ""))
            .filter(name -> !name.isEmpty())
            .findFirst()
            .orElse("funclet"),
        settings.integer("container-num", 1, UidRange.MAX_SLOTS),
        new Node(
            settings.text("total-memory").isEmpty()
                ? ByteSize.ZERO
                : settings.bytes("total-memory"),
            settings.text("reserved-memory").isEmpty() ? null : settings.bytes("reserved-memory"),
            settings.text("total-cpu").isEmpty() ? 0 : settings.decimal("total-cpu", 0, MAX_CORES)),
        new Runner(
            settings.bytes("runner-memory", LEAST_MEMORY),
            settings.decimal("runner-cpu-limits", 0, MAX_CORES),
            settings.decimal("runner-cpu-requests", 0, MAX_CORES),
            settings.integer("pids-max", 8, 1 << 22),
            settings.bytes("tmp-size")),
        new DiskUse(
            settings.bytes("code-cache-size", LEAST_CODE).bytes(),
            settings.integer("code-cache-inodes", LEAST_CODE_INODES, Integer.MAX_VALUE)),
        pace(settings),
        sources(settings),
        settings.path("cgroup-root-path"),
        launcher(settings));
  }

  private static Path launcher(Settings settings) {
    return settings.text("launcher").isEmpty() ? besideEngine() : settings.path("launcher");
  }

  /// The launcher's directory is the probe's runtime.
  private static SourceDirectories sources(Settings settings) {
    Path data = settings.path("data-dir");
    Stream<Path> own =
        Stream.of(
                data.resolve("runtimes"),
                settings.text("function-dir").isEmpty()
                    ? data.resolve("functions")
                    : settings.path("function-dir"),
                launcher(settings).toAbsolutePath().resolveSibling(""))
            .filter(directory -> directory.getNameCount() > 0); // Not all there is.
    Stream<Path> further =
        Stream.of(settings.text("source-dirs").split(":"))
            .filter(text -> !text.isEmpty())
            .map(FuncletConfig::sourceDirectory);
    return new SourceDirectories(
        Stream.concat(own, further).map(Path::toAbsolutePath).distinct().toList());
  }

  private static Path sourceDirectory(String text) {
    if (!text.startsWith("/")) {
      throw new ConfigException("--source-dirs: \"" + text + "\" (expected: an absolute path)");
    }
    return Path.of(text);
  }

  private static CodePace pace(Settings settings) {
    ByteSize rate = settings.bytes("code-rate");
    if (rate.bytes() < FuncletApi.LEAST_CODE_RATE) {
      throw new ConfigException(
          "--code-rate: \"" + settings.text("code-rate") + "\" (expected: >= 1MiB)");
    }
    return new CodePace(CODE_PATIENCE, rate.bytes());
  }

  /// The launcher that was built or installed together with this class: beside its jar, in `native`
  /// beside its directory of classes, or in `../bin`.
  private static Path besideEngine() {
    String name = "easyfaas-launcher";
    Path home = codeLocation().orElse(Path.of("/usr/lib/easyfaas"));
    Path parent = Optional.ofNullable(home.getParent()).orElse(home);
    return Stream.of(
            parent.resolve(name),
            parent.resolve("native").resolve(name),
            parent.resolveSibling("bin").resolve(name))
        .filter(Files::isRegularFile)
        .findFirst()
        .orElse(parent.resolve(name));
  }

  private static Optional<Path> codeLocation() {
    try {
      var source = FuncletConfig.class.getProtectionDomain().getCodeSource();
      return source == null
          ? Optional.empty()
          : Optional.of(Path.of(source.getLocation().toURI()).toAbsolutePath());
    } catch (URISyntaxException | java.nio.file.FileSystemNotFoundException _) {
      return Optional.empty();
    }
  }
}
