package io.easyfaas.runnerruntime;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.common.json.Json;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// What the directory of one runtime contains: the runner, the interpreter if sandboxes do not have
/// it anyway, and `runtime.json`, by which the registry offers the runtime.
///
/// The description sorts last, so that a runtime is described when all of it is there.
///
/// @param directory to be mounted at `/var/runtime`
/// @param configuration the content of `runtime.json`
record RuntimePlan(DirectoryPlan directory, RuntimeConfiguration configuration) {
  /// The description's file name, below the runtime's directory.
  static final String DESCRIPTION = "runtime.json";

  private static final Path MOUNTED_AT = Path.of("/var/runtime");

  /// Parts of Python's library that functions have no use for, some of them large.
  private static final Set<String> UNWANTED_LIBRARIES =
      Set.of("ensurepip", "idlelib", "lib2to3", "site-packages", "test", "tests", "turtledemo");

  /// Reads source from its input, and writes it compiled, as a file that is not compared with its
  /// source when it is run (PEP 552). That halves the time it takes a runner to start. What a
  /// `__future__` import has the compiler do is done without the import, which takes a file.
  private static final String COMPILE =
      """
      import __future__, _frozen_importlib_external, marshal, sys
      source = sys.stdin.buffer.read().replace(b"from __future__ import annotations\\n", b"\\n")
      code = compile(source, sys.argv[1], "exec", __future__.annotations.compiler_flag)
      header = _frozen_importlib_external.MAGIC_NUMBER + (1).to_bytes(4, "little") + bytes(8)
      sys.stdout.buffer.write(header + marshal.dumps(code))
      """;

  /// Plans the runtime of an interpreter.
  ///
  /// @param hostDirectory where it will lie
  /// @param isInRootfs whether sandboxes see the interpreter where it is
  /// @param search runs the interpreter
  static RuntimePlan of(
      Interpreter interpreter, Path hostDirectory, boolean isInRootfs, InterpreterSearch search)
      throws IOException {
    DirectoryPlan plan = new DirectoryPlan();
    List<String> command = new ArrayList<>();
    if (isInRootfs) {
      command.add(interpreter.executable().toString());
    } else {
      copyInterpreter(plan, interpreter, command);
    }
    byte[] runner = resource(interpreter.language().runner());
    plan.file(interpreter.language().runner(), runner);
    switch (interpreter.language()) {
      case NODEJS -> {
        plan.file("rehearsal.js", resource("rehearsal.js"));
        command.add(MOUNTED_AT.resolve("runner.js").toString());
      }
      case PYTHON -> {
        plan.file("runner.pyc", compile(interpreter, search, runner));
        plan.file("rehearsal.py", resource("rehearsal.py"));
        command.addAll(List.of("-I", "-S", MOUNTED_AT.resolve("runner.pyc").toString()));
      }
    }
    RuntimeConfiguration configuration =
        new RuntimeConfiguration(
            interpreter.language().runtimeName(interpreter.version()),
            command.getFirst(),
            hostDirectory.toString(),
            command.subList(1, command.size()),
            interpreter.language().aliases(interpreter.version()));
    plan.file(DESCRIPTION, (Json.PASCAL.writePretty(configuration) + "\n").getBytes(UTF_8));
    return new RuntimePlan(plan, configuration);
  }

  private static void copyInterpreter(
      DirectoryPlan plan, Interpreter interpreter, List<String> command) throws IOException {
    String program = "bin/" + interpreter.executable().getFileName();
    plan.copy(program, interpreter.executable());
    for (Path library : interpreter.libraries()) {
      if (!library.startsWith(interpreter.prefix())) {
        throw new IOException(
            interpreter.executable()
                + " has its library in "
                + library
                + " (expected: below "
                + interpreter.prefix()
                + ")");
      }
      plan.copyTree(
          interpreter.prefix().relativize(library).toString(),
          library.toRealPath(),
          path -> isWantedLibrary(path.getFileName().toString()));
    }
    List<Path> sharedLibraries = sharedLibraries(interpreter);
    for (Path library : sharedLibraries) {
      plan.copy("lib/" + library.getFileName(), library);
    }
    if (!sharedLibraries.isEmpty()) {
      // The program names its library by where it was installed, if at all.
      command.addAll(List.of("/usr/bin/env", "LD_LIBRARY_PATH=" + MOUNTED_AT.resolve("lib")));
    }
    command.add(MOUNTED_AT.resolve(program).toString());
  }

  private static List<Path> sharedLibraries(Interpreter interpreter) throws IOException {
    List<Path> found = new ArrayList<>();
    if (interpreter.needsSharedLibrary()) {
      try (DirectoryStream<Path> libraries =
          Files.newDirectoryStream(interpreter.prefix().resolve("lib"), "libpython*.so.*")) {
        libraries.forEach(found::add);
      }
    }
    return found;
  }

  private static boolean isWantedLibrary(String name) {
    // The config directory is for those who link the interpreter, a static library of 50 MB.
    return !UNWANTED_LIBRARIES.contains(name) && !name.startsWith("config-");
  }

  private static byte[] compile(Interpreter python, InterpreterSearch search, byte[] source)
      throws IOException {
    return search.run(
        python.executable(),
        List.of("-I", "-S", "-c", COMPILE, MOUNTED_AT.resolve("runner.py").toString()),
        source);
  }

  private static byte[] resource(String name) {
    try (InputStream content = RuntimePlan.class.getResourceAsStream(name)) {
      if (content == null) {
        throw new IllegalStateException("resource " + name + " is not in the program");
      }
      return content.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
