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
            "--bind-ro",
            "/usr",
            "/usr",
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
            "--bind-ro",
            "/data/slots/pod-controller-c3/hosts",
            "/etc/hosts",
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
        .containsExactly("mount", "pod-controller-c3", "--bind-ro", "/data/code/ab", "/var/task");
    assertThat(layout(true).mountRuntime(Path.of("/opt/node20")).arguments())
        .containsExactly("mount", "pod-controller-c3", "--bind-ro", "/opt/node20", "/var/runtime");
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
            "0",
            "0",
            "--channel",
            "/run/channels/0.sock",
            "5f".repeat(16),
            "--",
            "/usr/bin/node",
            "/var/runtime/runner.js");
  }

  @Test
  void theHostsFileNamesTheContainer() {
    assertThat(layout(true).hostsText())
        .isEqualTo("127.0.0.1 localhost\n::1 localhost\n127.0.0.1 pod-controller-c3\n");
  }

  private static SandboxLayout layout(boolean hasHosts) {
    ContainerId id = ContainerId.of("pod", 3);
    SlotFiles files = new SlotFiles(Path.of("/data"));
    return new SandboxLayout(
        id,
        new Rootfs(Path.of("/data/rootfs"), List.of(new Bind(Path.of("/usr"), "/usr")), hasHosts),
        files.hosts(id),
        UidRange.of("00000000", 3),
        ByteSize.ofMebibytes(64));
  }
}
