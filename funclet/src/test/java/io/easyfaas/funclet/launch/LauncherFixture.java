package io.easyfaas.funclet.launch;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.funclet.FuncletConfig;
import io.easyfaas.funclet.mount.Rootfs;
import io.easyfaas.funclet.mount.SandboxLayout;
import io.easyfaas.funclet.mount.UidRange;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/// What tests of the real launcher have in common: one sandbox in this machine's `/usr`, without
/// groups.
final class LauncherFixture {
  static final Duration TIMEOUT = Duration.ofSeconds(20);
  static final Path PROGRAM = FuncletConfig.parse(List.of(), System.getenv()).launcher();
  static final ContainerId SLOT = new ContainerId("s0");

  private LauncherFixture() {}

  /// Lays out a root.
  ///
  /// @param home an empty directory
  static SandboxLayout layout(Path home) throws IOException {
    Path rootfs = home.resolve("rootfs");
    for (String directory :
        List.of("usr", "etc", "proc", "dev", "tmp", "var/task", "var/runtime")) {
      Files.createDirectories(rootfs.resolve(directory));
    }
    for (String directory : List.of("bin", "lib", "lib64")) {
      Files.createSymbolicLink(rootfs.resolve(directory), Path.of("usr", directory));
    }
    Files.createFile(rootfs.resolve("etc/hosts"));
    return new SandboxLayout(
        SLOT,
        new Rootfs(
            rootfs,
            List.of(new LauncherCommand.Bind(Path.of("/usr"), "/usr")),
            true,
            Files.createDirectory(home.resolve("empty"))),
        UidRange.of("00000007", 7),
        ByteSize.ofMebibytes(8));
  }

  /// The process that a command has started.
  static long done(LaunchReport report) {
    assertThat(report).as(report.describe()).isInstanceOf(LaunchReport.Done.class);
    return requireNonNull((LaunchReport.Done) report).pid();
  }

  static void signal(String signal, long pid) throws IOException, InterruptedException {
    new ProcessBuilder("kill", "-" + signal, Long.toString(pid)).start().waitFor();
  }
}
