package io.easyfaas.funclet.mount;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.wire.ChannelAddress;
import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.funclet.launch.LauncherCommand.Bind;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

final class SandboxLayoutTest {
  @Test
  void createListsEverythingASandboxSees() {
    assertThat(layout(true).create().arguments())
        .containsExactly(
            "create",
            "pod-controller-c3",
            "--rootfs",
            "/data/rootfs",
            "--empty",
            "/data/empty",
            "--part",
            "/usr",
            "bin",
            "/usr/bin",
            "--bind-ro",
            "/lib",
            "/lib",
            "--proc",
            "/proc",
            "--dev",
            "/dev",
            "--shm-bytes",
            "16777216",
            "--tmpfs",
            "/tmp",
            "67108864",
            "1777",
            "--file",
            "/etc/hosts",
            "127.0.0.1 localhost\n::1 localhost\n127.0.0.1 pod-controller-c3\n",
            "--hostname",
            "pod-controller-c3",
            "--uid-map",
            "1879054336",
            "2048");
  }

  @Test
  void aRootWithoutHostsGetsNone() {
    assertThat(layout(false).create().arguments()).doesNotContain("/etc/hosts");
  }

  @Test
  void codeAndRuntimeAreMountedReadOnly() {
    assertThat(layout(true).mountCode(Path.of("/data/code/ab")).arguments())
        .containsExactly(
            "mount",
            "pod-controller-c3",
            "--empty",
            "/data/empty",
            "--bind-ro",
            "/data/code/ab",
            "/var/task");
    assertThat(layout(true).mountRuntime(Path.of("/opt/node20")).arguments())
        .endsWith("--bind-ro", "/opt/node20", "/var/runtime");
  }

  @Test
  void theRunnerGetsNothingOfTheHostsEnvironment() {
    assertThat(
            layout(true)
                .exec(
                    List.of("/usr/bin/node", "/var/runtime/runner.js"),
                    new ChannelAddress("/run/channels/0.sock", "5f".repeat(16), 0))
                .arguments())
        .containsExactly(
            "exec",
            "pod-controller-c3",
            "--uid",
            "1001",
            "--gid",
            "1001",
            "--env",
            "PATH=/usr/local/bin:/usr/bin:/bin",
            "--env",
            "HOME=/tmp",
            "--env",
            "TMPDIR=/tmp",
            "--env",
            "LANG=C.UTF-8",
            "--env",
            "TZ=UTC",
            "--cwd",
            "/",
            "--rlimit",
            "nofile",
            "4096",
            "4096",
            "--rlimit",
            "core",
            "1",
            "1",
            "--channel",
            "/run/channels/0.sock",
            "5f".repeat(16),
            "--",
            "/usr/bin/node",
            "/var/runtime/runner.js");
  }

  private static SandboxLayout layout(boolean hasHosts) {
    ContainerId id = ContainerId.of("pod", 3);
    return new SandboxLayout(
        id,
        new Rootfs(
            Path.of("/data/rootfs"),
            List.of(
                new Bind(Path.of("/usr"), "bin", "/usr/bin"), new Bind(Path.of("/lib"), "/lib")),
            hasHosts,
            Path.of("/data/empty")),
        UidRange.of("00000000", 3),
        ByteSize.ofMebibytes(64));
  }
}
