package io.easyfaas.runnerruntime;

import java.util.List;

/// A language that has a runner.
enum Language {
  /// Node.js. A runtime is named after the major version: `nodejs20`.
  NODEJS,
  /// Python 3. A runtime is named after the feature version: `python3.11`.
  PYTHON;

  private static final List<String> NODEJS_NAMES =
      List.of(
          "nodejs",
          "nodejs6.11",
          "nodejs8.5",
          "nodejs10",
          "nodejs12",
          "nodejs14",
          "nodejs16",
          "nodejs18",
          "nodejs20",
          "nodejs22");

  private static final List<String> PYTHON_NAMES =
      List.of(
          "python",
          "python3",
          "python3.6",
          "python3.7",
          "python3.8",
          "python3.9",
          "python3.10",
          "python3.11",
          "python3.12",
          "python3.13");

  private static final String NODEJS_QUESTION =
      "[process.versions.node, require('fs').realpathSync(process.execPath)].join('\\n')";

  private static final String PYTHON_QUESTION =
      """
      import os, sys, sysconfig
      print("%d.%d.%d" % sys.version_info[:3])
      print(os.path.realpath(sys.executable))
      print(os.path.realpath(sys.base_prefix))
      print(sysconfig.get_path("stdlib"))
      print(sysconfig.get_path("platstdlib"))
      print(sysconfig.get_config_var("Py_ENABLE_SHARED") or 0)
      """;

  /// As people write it.
  String title() {
    return switch (this) {
      case NODEJS -> "Node.js";
      case PYTHON -> "Python";
    };
  }

  /// What the interpreter may be called, best first.
  List<String> commands() {
    return switch (this) {
      case NODEJS -> List.of("node", "nodejs");
      case PYTHON -> List.of("python3", "python");
    };
  }

  /// The oldest version its runner works on.
  Version oldest() {
    return switch (this) {
      case NODEJS -> new Version(16, 0);
      case PYTHON -> new Version(3, 9);
    };
  }

  /// File name of the runner, a resource beside this class.
  String runner() {
    return switch (this) {
      case NODEJS -> "runner.js";
      case PYTHON -> "runner.py";
    };
  }

  /// Arguments that make an interpreter say what it is, see {@link Interpreter#parse}.
  List<String> question() {
    return switch (this) {
      case NODEJS -> List.of("-p", NODEJS_QUESTION);
      case PYTHON -> List.of("-I", "-S", "-c", PYTHON_QUESTION);
    };
  }

  /// The name of a runtime.
  String runtimeName(Version version) {
    return switch (this) {
      case NODEJS -> "nodejs" + version.major();
      case PYTHON -> "python" + version;
    };
  }

  /// Whether a runtime of this language has such a name, of whatever version.
  boolean names(String runtime) {
    return switch (this) {
      case NODEJS -> runtime.matches("nodejs[0-9]+");
      case PYTHON -> runtime.matches("python[0-9]+\\.[0-9]+");
    };
  }

  /// Every other name that a function may have been stored with and that means this runtime: also
  /// those of versions that are not there, for functions outlive them.
  List<String> aliases(Version version) {
    List<String> names =
        switch (this) {
          case NODEJS -> NODEJS_NAMES;
          case PYTHON -> PYTHON_NAMES;
        };
    String name = runtimeName(version);
    return names.stream().filter(each -> !each.equals(name)).toList();
  }

  /// A version as far as it matters.
  record Version(int major, int minor) implements Comparable<Version> {
    /// Reads `20.20.2`.
    ///
    /// @throws IllegalArgumentException when the text does not start with two numbers
    static Version parse(String text) {
      String[] parts = text.split("\\.", -1);
      if (parts.length < 2) {
        throw new IllegalArgumentException("version: \"" + text + "\" (expected: 1.2.3)");
      }
      return new Version(Integer.parseInt(parts[0]), Integer.parseInt(parts[1]));
    }

    @Override
    public int compareTo(Version other) {
      return major != other.major
          ? Integer.compare(major, other.major)
          : Integer.compare(minor, other.minor);
    }

    @Override
    public String toString() {
      return major + "." + minor;
    }
  }
}
