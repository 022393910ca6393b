package io.easyfaas.runnerruntime;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import io.easyfaas.common.config.ConfigException;
import io.easyfaas.common.disk.DiskFailure;
import io.easyfaas.common.disk.SmallFile;
import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.json.JsonException;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Lays out the root file system and the language runtimes of sandboxes in a data directory.
///
/// ```text
/// <data-dir>/rootfs/              the root of every sandbox
/// <data-dir>/rootfs.json          {"source":"host-usr","binds":[["/usr","bin","/usr/bin"]]}
/// <data-dir>/runtimes/<name>/     mounted at /var/runtime: runner, runtime.json, interpreter
/// ```
///
/// It can be done again at any time, also while sandboxes run: files are replaced by renaming, what
/// is right already is left alone. A runtime whose interpreter is gone is no longer offered, but
/// its files stay for those who have them mounted. Runtimes of other names are somebody else's, and
/// left alone. Thread-safe; one process at a time does the work, others wait for it.
public final class RunnerRuntime {
  private static final Logger LOG = LoggerFactory.getLogger(RunnerRuntime.class);
  private static final Path HOST = Path.of("/");
  private static final String HOST_USR = "host-usr";
  private static final String TREE = "tree";

  private RunnerRuntime() {}

  /// Lays out what the data directory was prepared with the last time; the first time, the host's
  /// own `/usr`.
  ///
  /// @param dataDirectory made if it does not exist
  /// @throws ConfigException when the data directory cannot be used
  public static Prepared prepare(Path dataDirectory) {
    return prepare(dataDirectory, new RootfsSource.Unchanged(), System.getenv());
  }

  /// Lays out a root file system from the given source, and the runtimes for it.
  ///
  /// @param dataDirectory made if it does not exist
  /// @param source where the root file system comes from
  /// @param environment usually {@link System#getenv()}: where the host's interpreters are
  /// @throws ConfigException when the data directory or the source cannot be used
  public static Prepared prepare(
      Path dataDirectory, RootfsSource source, Map<String, String> environment) {
    Path data = dataDirectory.toAbsolutePath().normalize();
    try {
      Files.createDirectories(data);
      try (PrepareLock lock = PrepareLock.take(data)) {
        RootfsSource before = sourceOf(data.resolve("rootfs.json"));
        RootfsSource.Known known =
            switch (source instanceof RootfsSource.Unchanged ? before : source) {
              case RootfsSource.Unchanged _ -> new RootfsSource.HostUsr();
              case RootfsSource.Known named -> named;
            };
        return prepare(data, known, before.equals(known), environment, lock.scratch());
      }
    } catch (IOException e) {
      throw new ConfigException("--data-dir: prepare " + data + ": " + DiskFailure.text(e));
    }
  }

  private static Prepared prepare(
      Path data,
      RootfsSource.Known source,
      boolean isThere,
      Map<String, String> environment,
      Path scratch)
      throws IOException {
    Path rootfs = data.resolve("rootfs");
    InterpreterSearch search =
        switch (source) {
          case RootfsSource.HostUsr _ -> {
            layOut(rootfs, RootfsPlan.ofHost(HOST), source, scratch);
            yield InterpreterSearch.onHost(environment);
          }
          case RootfsSource.Tree(var tree) -> {
            if (Files.isDirectory(tree)) {
              layOut(rootfs, RootfsPlan.ofTree(tree), source, scratch);
            } else if (!isThere || !Files.isDirectory(rootfs)) {
              throw new ConfigException(
                  "--rootfs-source: \"" + tree + "\" (expected: an existing directory)");
            }
            yield InterpreterSearch.inTree(rootfs);
          }
        };
    List<RuntimeConfiguration> runtimes = new ArrayList<>();
    List<String> missing = new ArrayList<>();
    Path directory = Files.createDirectories(data.resolve("runtimes"));
    for (Found found : findAll(source, search, directory)) {
      switch (found) {
        case Found.Usable(var plan, var target) -> {
          try {
            plan.directory().carryOut(target, scratch);
            runtimes.add(plan.configuration());
          } catch (IOException e) {
            missing.add(plan.configuration().name() + ": " + e.getMessage());
          }
        }
        case Found.Nothing(var reason) -> missing.add(reason);
      }
    }
    withdrawAllBut(runtimes, directory);
    runtimes.forEach(runtime -> LOG.info("runtime {} is {}", runtime.name(), runtime.bin()));
    missing.forEach(reason -> LOG.warn("no runtime for {}", reason));
    return new Prepared(rootfs, source, runtimes, missing);
  }

  private static void layOut(Path rootfs, RootfsPlan plan, RootfsSource.Known source, Path scratch)
      throws IOException {
    plan.directory().carryOut(rootfs, scratch);
    Description description =
        switch (source) {
          case RootfsSource.HostUsr _ -> new Description(HOST_USR, null, plan.binds());
          case RootfsSource.Tree(var tree) -> new Description(TREE, tree.toString(), plan.binds());
        };
    new SmallFile(rootfs.resolveSibling("rootfs.json"))
        .replace(Json.CAMEL.writeText(description) + "\n");
  }

  /// What there is for one language.
  private sealed interface Found {
    /// A runtime to be laid out.
    ///
    /// @param plan of its directory
    /// @param target the directory
    record Usable(RuntimePlan plan, Path target) implements Found {}

    /// No runtime.
    ///
    /// @param reason one sentence
    record Nothing(String reason) implements Found {}
  }

  /// Looks for all languages at once: it is mostly waiting for interpreters to start.
  private static List<Found> findAll(
      RootfsSource.Known source, InterpreterSearch search, Path directory) {
    return Arrays.stream(Language.values())
        .parallel()
        .map(language -> find(language, source, search, directory))
        .toList();
  }

  private static Found find(
      Language language, RootfsSource.Known source, InterpreterSearch search, Path directory) {
    return switch (search.find(language)) {
      case InterpreterSearch.Result.Found(var interpreter) -> {
        Path target = directory.resolve(language.runtimeName(interpreter.version()));
        try {
          yield new Found.Usable(
              RuntimePlan.of(interpreter, target, isInRootfs(interpreter, source), search), target);
        } catch (IOException e) {
          yield new Found.Nothing(language.title() + ": " + e.getMessage());
        }
      }
      case InterpreterSearch.Result.Missing(var reason) -> new Found.Nothing(reason);
    };
  }

  /// Whether sandboxes see the interpreter where it is.
  private static boolean isInRootfs(Interpreter interpreter, RootfsSource.Known source)
      throws IOException {
    return switch (source) {
      case RootfsSource.Tree _ -> true;
      case RootfsSource.HostUsr _ -> RootfsPlan.shows(HOST, interpreter.executable());
    };
  }

  /// Takes back the descriptions of runtimes that were laid out before and not found this time.
  private static void withdrawAllBut(List<RuntimeConfiguration> found, Path runtimes)
      throws IOException {
    try (DirectoryStream<Path> directories = Files.newDirectoryStream(runtimes)) {
      for (Path directory : directories) {
        String name = directory.getFileName().toString();
        boolean isOurs = Arrays.stream(Language.values()).anyMatch(each -> each.names(name));
        boolean isOffered = found.stream().anyMatch(runtime -> runtime.name().equals(name));
        if (isOurs
            && !isOffered
            && Files.isDirectory(directory, NOFOLLOW_LINKS)
            && Files.deleteIfExists(directory.resolve(RuntimePlan.DESCRIPTION))) {
          LOG.warn("runtime {} is not offered any more: its interpreter is gone", name);
        }
      }
    }
  }

  /// What is remembered; a damaged file is written anew.
  private static RootfsSource sourceOf(Path file) {
    Optional<String> text = new SmallFile(file).read();
    try {
      return text.map(json -> Json.CAMEL.read(json, Description.class))
          .<RootfsSource>map(description ->
              description.tree() == null
                  ? new RootfsSource.HostUsr()
                  : new RootfsSource.Tree(Path.of(description.tree())))
          .orElseGet(RootfsSource.Unchanged::new);
    } catch (JsonException | InvalidPathException e) {
      LOG.warn("{} is written anew: {}", file, e.getMessage());
      return new RootfsSource.Unchanged();
    }
  }

  /// The content of `rootfs.json`. Funclet reads the binds.
  ///
  /// @param source `host-usr` or `tree`
  /// @param tree the tree's directory
  /// @param binds see {@link RootfsPlan}
  record Description(String source, @Nullable String tree, List<List<String>> binds) {}
}
