package io.easyfaas.runnerruntime;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// Finds interpreters and runs them.
///
/// What counts is what a program says of itself when it is run, not what it is called: shims, such
/// as those of version managers, are scripts that start an interpreter elsewhere, and it is that
/// one that is found.
final class InterpreterSearch {
  /// An interpreter starts in a tenth of a second; a machine may be slow or busy.
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private static final int MAX_ANSWER_BYTES = 4 * 1024 * 1024;

  /// Before what may be on the path: these are the same in a sandbox.
  private static final List<Path> FIRST = List.of(Path.of("/usr/bin"), Path.of("/usr/local/bin"));

  private final Path root;
  private final List<Path> directories;
  private final List<String> runPrefix;
  private final Map<String, String> environment;

  private InterpreterSearch(
      Path root, List<Path> directories, List<String> runPrefix, Map<String, String> environment) {
    this.root = root;
    this.directories = directories;
    this.runPrefix = runPrefix;
    this.environment = environment;
  }

  /// What an interpreter gets of an environment: not NODE_OPTIONS, PYTHONHOME and the like, which
  /// mean another process.
  private static Map<String, String> cleaned(Map<String, String> environment) {
    return Map.of(
        "PATH", environment.getOrDefault("PATH", "/usr/local/bin:/usr/bin:/bin"),
        "HOME", environment.getOrDefault("HOME", "/nonexistent"),
        "LC_ALL", "C.UTF-8");
  }

  /// Among the host's programs: `/usr/bin`, `/usr/local/bin`, then the path.
  ///
  /// @param environment usually {@link System#getenv()}
  static InterpreterSearch onHost(Map<String, String> environment) {
    Set<Path> directories = new LinkedHashSet<>(FIRST);
    String path = environment.getOrDefault("PATH", "");
    Stream.of(path.split(":", -1))
        .filter(each -> each.startsWith("/"))
        .map(Path::of)
        .forEach(directories::add);
    return in(List.copyOf(directories), environment);
  }

  /// Among the programs of the host in some directories, in their order.
  static InterpreterSearch in(List<Path> directories, Map<String, String> environment) {
    return new InterpreterSearch(Path.of("/"), directories, List.of(), cleaned(environment));
  }

  /// Among the programs of a directory tree. They are run as nobody: the tree is somebody else's.
  static InterpreterSearch inTree(Path root) {
    return new InterpreterSearch(
        root,
        FIRST,
        List.of("chroot", "--userspec=65534:65534", "--groups=", root.toString()),
        cleaned(Map.of()));
  }

  /// What the search for a language came to.
  sealed interface Result {
    /// There is one.
    record Found(Interpreter interpreter) implements Result {}

    /// There is none that does.
    ///
    /// @param reason one sentence
    record Missing(String reason) implements Result {}
  }

  /// Finds the first interpreter that is recent enough.
  Result find(Language language) {
    List<String> rejected = new ArrayList<>();
    for (Path directory : directories) {
      for (String command : language.commands()) {
        Path program = directory.resolve(command);
        // In a tree, a link may lead to somewhere that exists only from inside.
        if (!Files.exists(root.resolve(Path.of("/").relativize(program)), NOFOLLOW_LINKS)) {
          continue;
        }
        try {
          Interpreter interpreter =
              Interpreter.parse(
                  language,
                  new String(run(program, language.question(), new byte[0]), UTF_8).strip());
          if (interpreter.version().compareTo(language.oldest()) >= 0) {
            return new Result.Found(interpreter);
          }
          rejected.add(program + " is version " + interpreter.version());
        } catch (IOException | IllegalArgumentException e) {
          rejected.add(program + ": " + e.getMessage());
        }
      }
    }
    return new Result.Missing(
        language.title()
            + ": no "
            + String.join(" or ", language.commands())
            + " of version "
            + language.oldest()
            + " or later in "
            + String.join(":", directories.stream().map(Path::toString).toList())
            + (rejected.isEmpty() ? "" : " (" + String.join("; ", rejected) + ")"));
  }

  /// Runs a program and returns what it wrote.
  ///
  /// @param program as a path inside the root
  /// @param input what it reads
  /// @throws IOException when it cannot be started, fails, or does not end in time
  byte[] run(Path program, List<String> arguments, byte[] input) throws IOException {
    List<String> command = new ArrayList<>(runPrefix);
    command.add(program.toString());
    command.addAll(arguments);
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD);
    builder.environment().clear();
    builder.environment().putAll(environment);
    Process process = builder.start();
    Thread guard =
        Thread.ofVirtual().name("interpreter-guard").start(() -> endAfterPatience(process));
    try (InputStream fromProgram = process.getInputStream()) {
      feed(process, input);
      byte[] output = fromProgram.readNBytes(MAX_ANSWER_BYTES);
      int status = process.waitFor();
      if (status != 0) {
        throw new IOException("ends with status " + status + " instead of an answer");
      }
      return output;
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while " + program + " ran");
    } finally {
      guard.interrupt();
      end(process);
    }
  }

  private static void feed(Process process, byte[] input) {
    try (OutputStream toProgram = process.getOutputStream()) {
      toProgram.write(input);
    } catch (IOException _) {
      // It ended without reading; its status says more.
    }
  }

  private static void end(Process process) {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
  }

  private static void endAfterPatience(Process process) {
    try {
      if (!process.waitFor(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
        end(process);
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt(); // The program has ended, or is ended by who runs it.
    }
  }
}
