package io.easyfaas.runnerruntime;

import io.easyfaas.runnerruntime.Language.Version;
import java.nio.file.Path;
import java.util.List;

/// An interpreter, as it describes itself.
///
/// @param language what it runs
/// @param version its version
/// @param executable the program, no symbolic link
/// @param prefix the directory it is installed in
/// @param libraries directories of its standard library
/// @param needsSharedLibrary whether it was built with a shared library, which lies below the
///   prefix unless the distributor linked the program without it
record Interpreter(
    Language language,
    Version version,
    Path executable,
    Path prefix,
    List<Path> libraries,
    boolean needsSharedLibrary) {
  /// Copies the list.
  Interpreter {
    libraries = List.copyOf(libraries);
  }

  /// Reads the answer to {@link Language#question}.
  ///
  /// @throws IllegalArgumentException when it is no such answer
  static Interpreter parse(Language language, String answer) {
    List<String> lines = answer.lines().toList();
    int expected =
        switch (language) {
          case NODEJS -> 2;
          case PYTHON -> 6;
        };
    if (lines.size() != expected || !lines.get(1).startsWith("/")) {
      throw new IllegalArgumentException("answer: \"" + answer + "\"");
    }
    Version version = Version.parse(lines.get(0));
    Path executable = Path.of(lines.get(1));
    return switch (language) {
      case NODEJS -> new Interpreter(language, version, executable, executable, List.of(), false);
      case PYTHON ->
          new Interpreter(
              language,
              version,
              executable,
              Path.of(lines.get(2)),
              lines.subList(3, 5).stream().distinct().map(Path::of).toList(),
              lines.get(5).equals("1"));
    };
  }
}
