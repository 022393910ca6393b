package io.easyfaas.funclet.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.easyfaas.common.wire.ChannelAddress;
import io.easyfaas.funclet.launch.LauncherCommand.Bind;
import io.easyfaas.funclet.launch.LauncherCommand.Program;
import io.easyfaas.funclet.launch.LauncherCommand.ResourceLimit;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class LauncherCommandTest {
  @Test
  void openNamesEveryGroup() {
    assertThat(
            LauncherCommand.open("c0", List.of(Path.of("/g/memory"), Path.of("/g/cpu")), null)
                .arguments())
        .containsExactly("open", "c0", "--cgroup", "/g/memory", "--cgroup", "/g/cpu");
    assertThat(LauncherCommand.open("c0", List.of(), Path.of("/g/c0")).arguments())
        .containsExactly("open", "c0", "--sandbox-cgroup", "/g/c0");
  }

  @Test
  void createPassesTheOptionsInOrder() {
    assertThat(LauncherCommand.create("c0", List.of("--rootfs", "/r")).arguments())
        .containsExactly("create", "c0", "--rootfs", "/r");
  }

  @Test
  void mountBindsReadOnly() {
    List<Bind> binds =
        List.of(
            new Bind(Path.of("/code"), "/var/task"),
            new Bind(Path.of("/rt"), "node20", "/var/runtime"));

    assertThat(LauncherCommand.mountReadOnly("c0", Path.of("/empty"), binds).arguments())
        .containsExactly(
            "mount",
            "c0",
            "--empty",
            "/empty",
            "--bind-ro",
            "/code",
            "/var/task",
            "--part",
            "/rt",
            "node20",
            "/var/runtime");
  }

  @Test
  void execPutsTheCommandLast() {
    Map<String, String> environment = new LinkedHashMap<>();
    environment.put("PATH", "/bin");
    environment.put("A", "b=c d");
    Program program =
        new Program(
            1001,
            1002,
            environment,
            "/",
            List.of(new ResourceLimit("nofile", 4096)),
            List.of("/bin/x", "--uid", "0"),
            new ChannelAddress("/run/0.sock", "a0".repeat(16), 9001));

    assertThat(LauncherCommand.exec("c0", program).arguments())
        .containsExactly(
            "exec",
            "c0",
            "--uid",
            "1001",
            "--gid",
            "1002",
            "--env",
            "PATH=/bin",
            "--env",
            "A=b=c d",
            "--cwd",
            "/",
            "--rlimit",
            "nofile",
            "4096",
            "4096",
            "--channel",
            "/run/0.sock",
            "a0".repeat(16),
            "--listen",
            "9001",
            "--",
            "/bin/x",
            "--uid",
            "0");
  }

  @Test
  void theRestIsShort() {
    assertThat(LauncherCommand.signal("c0", 15).arguments()).containsExactly("signal", "c0", "15");
    assertThat(LauncherCommand.destroy("c0").arguments()).containsExactly("destroy", "c0");
    assertThat(LauncherCommand.close("c0").arguments()).containsExactly("close", "c0");
  }

  @Test
  void anArgumentCannotSmuggleInAnother() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new LauncherCommand(List.of("exec", "c0", "a\0--uid")))
        .withMessageContaining("a\\0--uid");
  }

  @Test
  void aRequestIsItsLengthItsNumberAndEveryArgumentEndedByNul() {
    byte[] request = RequestWriter.encode(0x01020304, LauncherCommand.destroy("é"));

    assertThat(request)
        .containsExactly(
            0, 0, 0, 15, 1, 2, 3, 4, 'd', 'e', 's', 't', 'r', 'o', 'y', 0, 0xC3, 0xA9, 0);
  }
}
