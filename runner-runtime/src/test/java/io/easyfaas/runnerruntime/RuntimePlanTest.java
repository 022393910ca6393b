package io.easyfaas.runnerruntime;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.disk.DiskTree;
import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.common.json.Json;
import io.easyfaas.runnerruntime.InterpreterSearch.Result.Found;
import io.easyfaas.runnerruntime.Language.Version;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RuntimePlanTest {
  private final InterpreterSearch search = InterpreterSearch.onHost(System.getenv());
  @TempDir Path temp;
  private Path directory;
  private Path scratch;

  @BeforeEach
  void makeDirectories() throws IOException {
    directory = temp.resolve("runtime");
    scratch = Files.createDirectory(temp.resolve("scratch"));
  }

  // JUnit warns of every link it deletes.
  @AfterEach
  void deleteLinks() throws IOException {
    DiskTree.delete(temp);
  }

  @Test
  void describesANodeRuntime() throws IOException {
    Interpreter node = node(Path.of("/usr/bin/node"));

    RuntimePlan plan = RuntimePlan.of(node, directory, true, search);

    assertThat(plan.configuration())
        .isEqualTo(
            new RuntimeConfiguration(
                "nodejs20",
                "/usr/bin/node",
                directory.toString(),
                List.of("/var/runtime/runner.js"),
                List.of(
                    "nodejs",
                    "nodejs6.11",
                    "nodejs8.5",
                    "nodejs10",
                    "nodejs12",
                    "nodejs14",
                    "nodejs16",
                    "nodejs18",
                    "nodejs22")));
  }

  @Test
  void describesAPythonRuntime() throws IOException {
    Interpreter python = hostPython();

    RuntimePlan plan = RuntimePlan.of(python, directory, true, search);

    RuntimeConfiguration configuration = plan.configuration();
    assertThat(configuration.name()).isEqualTo("python" + python.version());
    assertThat(configuration.bin()).isEqualTo(python.executable().toString());
    assertThat(configuration.args()).containsExactly("-I", "-S", "/var/runtime/runner.pyc");
    assertThat(configuration.aliases())
        .contains("python", "python3", "python3.6", "python3.13")
        .doesNotContain(configuration.name(), "python2", "python2.7");
  }

  @Test
  void aRuntimeDescribesItselfAndHasItsRunner() throws IOException {
    RuntimePlan plan = RuntimePlan.of(node(Path.of("/usr/bin/node")), directory, true, search);

    plan.directory().carryOut(directory, scratch);

    assertThat(
            Json.PASCAL.read(
                Files.readAllBytes(directory.resolve("runtime.json")), RuntimeConfiguration.class))
        .isEqualTo(plan.configuration());
    assertThat(directory.resolve("runner.js")).hasSameBinaryContentAs(Path.of("node/runner.js"));
    assertThat(directory.resolve("rehearsal.js"))
        .hasSameBinaryContentAs(Path.of("node/rehearsal.js"));
  }

  @Test
  void theCompiledPythonRunnerRuns() throws Exception {
    Interpreter python = hostPython();
    RuntimePlan.of(python, directory, true, search).directory().carryOut(directory, scratch);

    List<String> command = new ArrayList<>(List.of(python.executable().toString(), "-I", "-S"));
    command.add(directory.resolve("runner.pyc").toString());

    assertThat(outputOf(command)).startsWith("easyfaas runner: descriptor 3: ");
    command.addAll(1, List.of("-X", "importtime"));
    assertThat(outputOf(command))
        .contains(" _json\n")
        .doesNotContain(" __future__\n", " os\n", " struct\n", " contextvars\n");
  }

  @Test
  void anInterpreterThatSandboxesDoNotSeeIsCopied() throws IOException {
    Path program = Files.writeString(temp.resolve("node"), "ELF");

    RuntimePlan plan = RuntimePlan.of(node(program), directory, false, search);
    plan.directory().carryOut(directory, scratch);

    assertThat(directory.resolve("bin/node")).hasContent("ELF");
    assertThat(plan.configuration().bin()).isEqualTo("/var/runtime/bin/node");
    assertThat(plan.configuration().args()).containsExactly("/var/runtime/runner.js");
  }

  @Test
  void aCopiedPythonRunsFromWhereItIsCopiedTo() throws Exception {
    Interpreter host = hostPython();
    Path prefix = temp.resolve("opt");
    Files.createDirectories(prefix.resolve("bin"));
    Path program = Files.copy(host.executable(), prefix.resolve("bin/python3"));
    Path library = prefix.resolve("lib").resolve(host.libraries().getFirst().getFileName());
    Files.createDirectory(prefix.resolve("lib"));
    Files.createSymbolicLink(library, host.libraries().getFirst());
    Interpreter found =
        ((Found)
                InterpreterSearch.in(List.of(prefix.resolve("bin")), System.getenv())
                    .find(Language.PYTHON))
            .interpreter();
    assertThat(found.executable()).isEqualTo(program);
    assertThat(found.prefix()).isEqualTo(prefix);

    RuntimePlan plan = RuntimePlan.of(found, directory, false, search);
    plan.directory().carryOut(directory, scratch);

    assertThat(plan.configuration().bin()).isEqualTo("/var/runtime/bin/python3");
    assertThat(directory.resolve("lib").resolve(library.getFileName()).resolve("test"))
        .doesNotExist();
    String seen =
        outputOf(
            List.of(
                directory.resolve("bin/python3").toString(),
                "-I",
                "-S",
                "-c",
                "import asyncio, json, sys; print(json.__file__, sys.base_prefix)"));
    assertThat(seen)
        .isEqualTo(
            directory.resolve("lib").resolve(library.getFileName()).resolve("json/__init__.py")
                + " "
                + directory
                + "\n");
  }

  @Test
  void aPythonThatNeedsItsSharedLibraryIsToldWhereItIs() throws IOException {
    Path prefix = temp.resolve("p");
    Files.createDirectories(prefix.resolve("lib/python3.12"));
    Path program = Files.createDirectory(prefix.resolve("bin")).resolve("python3.12");
    Files.copy(hostPython().executable(), program);
    Files.writeString(prefix.resolve("lib/python3.12/os.py"), "");
    Files.writeString(prefix.resolve("lib/libpython3.12.so.1.0"), "ELF");
    Interpreter python =
        new Interpreter(
            Language.PYTHON,
            new Version(3, 12),
            program,
            prefix,
            List.of(prefix.resolve("lib/python3.12")),
            true);
    InterpreterSearch anyPython = InterpreterSearch.in(List.of(), System.getenv());

    RuntimePlan plan = RuntimePlan.of(python, directory, false, anyPython);
    plan.directory().carryOut(directory, scratch);

    assertThat(plan.configuration().bin()).isEqualTo("/usr/bin/env");
    assertThat(plan.configuration().args())
        .containsExactly(
            "LD_LIBRARY_PATH=/var/runtime/lib",
            "/var/runtime/bin/python3.12",
            "-I",
            "-S",
            "/var/runtime/runner.pyc");
    assertThat(directory.resolve("lib/libpython3.12.so.1.0")).hasContent("ELF");
    assertThat(directory.resolve("lib/python3.12/os.py")).exists();
  }

  @Test
  void aLibraryOutsideOfThePrefixCannotBeCopied() throws IOException {
    Interpreter python =
        new Interpreter(
            Language.PYTHON,
            new Version(3, 12),
            Files.writeString(temp.resolve("python3"), ""),
            temp,
            List.of(Path.of("/usr/lib/python3.12")),
            false);

    assertThatThrownBy(() -> RuntimePlan.of(python, directory, false, search))
        .isInstanceOf(IOException.class)
        .hasMessage(
            temp
                + "/python3 has its library in /usr/lib/python3.12 (expected: below "
                + temp
                + ")");
  }

  private static Interpreter node(Path program) {
    return new Interpreter(Language.NODEJS, new Version(20, 1), program, program, List.of(), false);
  }

  private Interpreter hostPython() {
    return ((Found) search.find(Language.PYTHON)).interpreter();
  }

  private static String outputOf(List<String> command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    try (var output = process.getInputStream()) {
      String text = new String(output.readAllBytes(), UTF_8);
      assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
      return text;
    } finally {
      process.destroyForcibly();
    }
  }
}
