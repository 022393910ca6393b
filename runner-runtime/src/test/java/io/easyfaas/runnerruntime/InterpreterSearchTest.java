package io.easyfaas.runnerruntime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.runnerruntime.InterpreterSearch.Result.Found;
import io.easyfaas.runnerruntime.InterpreterSearch.Result.Missing;
import io.easyfaas.runnerruntime.Language.Version;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InterpreterSearchTest {
  @TempDir Path temp;

  @Test
  void findsTheHostsInterpreters() {
    InterpreterSearch search = InterpreterSearch.onHost(System.getenv());

    for (Language language : Language.values()) {
      assertThat(search.find(language)).isInstanceOf(Found.class);
    }
  }

  @Test
  void takesTheFirstThatIsRecentEnough() throws IOException {
    Path old = program("old/node", "echo 14.21.3; echo /old/node");
    Path good = program("good/node", "echo 18.20.4; echo /good/node");
    program("later/node", "echo 22.1.0; echo /later/node");

    assertThat(find(Language.NODEJS, old, good, temp.resolve("later/node")))
        .isEqualTo(
            new Found(
                new Interpreter(
                    Language.NODEJS,
                    new Version(18, 20),
                    Path.of("/good/node"),
                    Path.of("/good/node"),
                    List.of(),
                    false)));
  }

  @Test
  void aShimIsNotTheInterpreterButLeadsToIt() throws IOException {
    Path shim =
        program(
            "shims/python3",
            "printf '%s\\n' 3.12.1 /opt/p/bin/python3.12 /opt/p /opt/p/lib/python3.12"
                + " /opt/p/lib/python3.12 1");

    assertThat(find(Language.PYTHON, shim))
        .isEqualTo(
            new Found(
                new Interpreter(
                    Language.PYTHON,
                    new Version(3, 12),
                    Path.of("/opt/p/bin/python3.12"),
                    Path.of("/opt/p"),
                    List.of(Path.of("/opt/p/lib/python3.12")),
                    true)));
  }

  @Test
  void saysWhyNothingFoundDoes() throws IOException {
    Path old = program("old/python3", "printf '%s\\n' 3.6.15 /p/python3 /p /p/lib /p/lib 0");
    Path broken = program("broken/python3", "exit 127");
    Path chatty = program("chatty/python3", "echo Welcome!");

    assertThat(find(Language.PYTHON, old, broken, chatty))
        .isInstanceOfSatisfying(
            Missing.class,
            missing ->
                assertThat(missing.reason())
                    .startsWith("Python: no python3 or python of version 3.9 or later in ")
                    .contains(old + " is version 3.6")
                    .contains(broken + ": ends with status 127")
                    .contains(chatty + ": answer: \"Welcome!\""));
  }

  @Test
  void anEmptyDirectoryHasNone() {
    assertThat(find(Language.NODEJS, temp.resolve("node")))
        .isEqualTo(new Missing("Node.js: no node or nodejs of version 16.0 or later in " + temp));
  }

  @Test
  void programsGetNothingOfTheEnvironmentButPathAndHome() throws IOException {
    Path program = program("env", "env | cut -d= -f1 | grep -v '^_$\\|^PWD$\\|^SHLVL$' | sort");
    InterpreterSearch search =
        InterpreterSearch.in(
            List.of(), Map.of("PATH", "/usr/bin:/bin", "NODE_OPTIONS", "--inspect", "A", "b"));

    assertThat(search.run(program, List.of(), new byte[0]))
        .asString(StandardCharsets.UTF_8)
        .isEqualTo("HOME\nLC_ALL\nPATH\n");
  }

  @Test
  void aProgramNeedNotReadItsInput() throws IOException {
    Path program = program("deaf", "echo done");

    assertThat(InterpreterSearch.in(List.of(), Map.of()).run(program, List.of(), new byte[1 << 20]))
        .asString(StandardCharsets.UTF_8)
        .isEqualTo("done\n");
  }

  @Test
  void aVersionIsTwoNumbers() {
    assertThat(Version.parse("20.20.2")).isEqualTo(new Version(20, 20));
    assertThat(new Version(3, 10)).isGreaterThan(new Version(3, 9));
    assertThat(new Version(4, 0)).isGreaterThan(new Version(3, 10));
    assertThatThrownBy(() -> Version.parse("20")).hasMessageContaining("\"20\"");
  }

  private static InterpreterSearch.Result find(Language language, Path... programs) {
    List<Path> directories = List.of(programs).stream().map(Path::getParent).toList();
    return InterpreterSearch.in(directories, System.getenv()).find(language);
  }

  private Path program(String name, String script) throws IOException {
    Path program = temp.resolve(name);
    Files.createDirectories(program.getParent());
    Files.writeString(program, "#!/bin/sh\n" + script + "\n");
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
    return program;
  }
}
