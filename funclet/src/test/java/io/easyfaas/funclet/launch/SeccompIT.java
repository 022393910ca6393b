package io.easyfaas.funclet.launch;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.json.Json;
import io.easyfaas.funclet.FuncletConfig;
import io.easyfaas.funclet.RequiresRoot;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Programs of many languages under the system call filter, each in a sandbox of its own made by
/// `easyfaas-launcher run`, and what is refused to all of them. The programs are in the resources.
@RequiresRoot
final class SeccompIT {
  private static final Path LAUNCHER = FuncletConfig.parse(List.of(), Map.of()).launcher();
  private static final String CODE = "/var/task";
  private static final List<String> PROGRAMS =
      List.of(
          "program.js",
          "program.py",
          "Program.java",
          "program.c",
          "program.php",
          "program.rb",
          "program.sh",
          "refusals.py");

  @TempDir private static Path home;
  private static Map<String, Object> answers = Map.of();

  @BeforeAll
  static void askForWhatIsRefused() throws IOException, InterruptedException {
    for (String directory :
        List.of("usr", "etc/alternatives", "proc", "dev", "tmp", "opt", CODE.substring(1))) {
      Files.createDirectories(rootfs().resolve(directory));
    }
    for (String directory : List.of("bin", "lib", "lib64")) {
      Files.createSymbolicLink(rootfs().resolve(directory), Path.of("usr", directory));
    }
    Files.writeString(rootfs().resolve("etc/hosts"), "127.0.0.1 localhost\n");
    for (String program : PROGRAMS) {
      try (InputStream source = SeccompIT.class.getResourceAsStream("/seccomp/" + program)) {
        Files.copy(requireNonNull(source, program), rootfs().resolve("var/task").resolve(program));
      }
    }
    @SuppressWarnings("unchecked")
    Map<String, Object> read =
        Json.CAMEL.read(runInSandbox("/usr/bin/python3", CODE + "/refusals.py"), Map.class);
    answers = read;
  }

  @ParameterizedTest
  @CsvSource({
    "/usr/bin/node, program.js",
    "/usr/bin/python3, program.py",
    "/opt/bin/java, Program.java",
    "/usr/bin/php, program.php",
    "/usr/bin/ruby, program.rb",
    "/bin/bash, program.sh"
  })
  void programsRun(String interpreter, String program) throws IOException, InterruptedException {
    assertThat(runInSandbox(interpreter, CODE + "/" + program)).isEqualTo("fine\n");
  }

  @Test
  void aStaticBinaryRuns() throws IOException, InterruptedException {
    Path code = rootfs().resolve("var/task");
    List<String> compiler =
        List.of("cc", "-static", "-pthread", "-o", code + "/program", code + "/program.c");
    assertThat(run(compiler)).isEmpty();

    assertThat(runInSandbox(CODE + "/program")).isEqualTo("fine\n");
  }

  @ParameterizedTest
  @CsvSource({
    "hugeMap, EPERM",
    "hugeShared, EPERM",
    "hugeFile, EPERM",
    "mergeable, EINVAL",
    "mptcp, EPROTONOSUPPORT",
    "mptcp6, EPROTONOSUPPORT",
    "udpLite, EPROTONOSUPPORT",
    "sctp, EPROTONOSUPPORT",
    "sctpSequences, EPROTONOSUPPORT",
    "dccp, EPROTONOSUPPORT",
    "dccpByName, EPROTONOSUPPORT",
    "udpOfAStream, EPROTONOSUPPORT",
    "audit, EPROTONOSUPPORT",
    "vsock, EAFNOSUPPORT",
    "ulp, ENOPROTOOPT",
    "md5, ENOPROTOOPT",
    "encapsulation, ENOPROTOOPT",
    "coreLimitExchanged, EPERM",
    "device, EPERM",
    "plainNode, EPERM",
    "fileFlags, ENOTTY",
    "vmsplice, ENOSYS",
    "messageQueue, ENOSYS",
    "posixQueue, ENOSYS",
    "cachestat, ENOSYS",
    "statmount, ENOSYS",
    "fanotifyMark, EPERM",
    "realTime, EPERM",
    "unknownOption, EINVAL",
    "clone3, ENOSYS"
  })
  void itIsRefused(String what, String error) {
    assertThat(answers).containsEntry(what, error);
  }

  @Test
  void theLimitOfCoreDumpsStaysAsItIs() {
    assertThat(answers)
        .containsEntry("coreLimit", "done")
        .containsEntry("coreLimitAsked", "done")
        .containsEntry("coreLimitThen", "1 1");
  }

  @Test
  void aPipeMayBeMadeAndAsked() {
    assertThat(answers).containsEntry("pipe", "done").containsEntry("pending", "done");
  }

  /// What the command printed, errors included.
  private static String runInSandbox(String... command) throws IOException, InterruptedException {
    List<String> words = new ArrayList<>();
    words.addAll(List.of(LAUNCHER.toString(), "run", "--rootfs", rootfs().toString()));
    words.addAll(List.of("--uid-map", "1879048192", "2048", "--bind-ro", "/usr", "/usr"));
    words.addAll(List.of("--bind-ro", "/etc/alternatives", "/etc/alternatives"));
    words.addAll(
        List.of(
            "--bind-ro", Path.of(System.getProperty("java.home")).toRealPath().toString(), "/opt"));
    words.addAll(
        List.of("--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "268435456", "1777"));
    words.addAll(List.of("--env", "PATH=/usr/bin:/bin", "--env", "HOME=/tmp", "--cwd", "/tmp"));
    words.addAll(List.of("--rlimit", "core", "1", "1", "--"));
    words.addAll(List.of(command));
    return run(words);
  }

  private static String run(List<String> command) throws IOException, InterruptedException {
    Path output = Files.createTempFile(home, "output", "");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      assertThat(process.waitFor(120, TimeUnit.SECONDS)).as("%s has ended", command).isTrue();
    } finally {
      process.destroy();
    }
    return Files.readString(output, StandardCharsets.UTF_8);
  }

  private static Path rootfs() {
    return home.resolve("rootfs");
  }
}
