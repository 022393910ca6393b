package io.easyfaas.funclet;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.disk.Damage;
import io.easyfaas.common.http.EventLoops;
import io.easyfaas.common.http.HttpAddress;
import io.easyfaas.common.http.HttpClient;
import io.easyfaas.common.http.HttpException;
import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.wire.ContainerInfo;
import io.easyfaas.funclet.cgroup.EngineCgroups;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// An engine that is a process of its own, and ends in the ways processes end.
@RequiresRoot
final class RestartIT {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  @TempDir private Path home;
  private Leaks leaks;
  private EventLoops loops;
  private Process engine;

  @BeforeEach
  void start() throws IOException {
    leaks = new Leaks(home);
    loops = new EventLoops(1);
    TestEngine.prepare(home);
    List<String> command =
        new ArrayList<>(
            List.of(
                "env", // Who starts the tests with `&` has signals of the terminal ignored, see
                // sh(1).
                "--default-signal=INT,QUIT",
                ProcessHandle.current().info().command().orElse("java"),
                "-cp",
                System.getProperty("java.class.path"),
                FuncletProcess.class.getName()));
    command.addAll(TestEngine.args(home));
    engine =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(home.resolve("log").toFile())
            .start();
    awaitContainers();
  }

  @AfterEach
  void nothingIsLeft() throws InterruptedException {
    engine.destroyForcibly().waitFor();
    loops.close();
    leaks.assertNone();
  }

  @Test
  void sigtermEndsItInOrder() throws Exception {
    engine.destroy();

    assertThat(engine.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
    assertThat(Leaks.groups(engineGroup())).isEmpty();
  }

  @Test
  void interruptingTheWholeProcessGroupEndsItInOrder() throws Exception {
    // What a terminal does at Ctrl-C: the launcher gets the signal, too.
    List<String> command = new ArrayList<>(List.of("kill", "-INT", Long.toString(engine.pid())));
    engine.descendants().map(process -> Long.toString(process.pid())).forEach(command::add);
    new ProcessBuilder(command).start().waitFor();

    assertThat(engine.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
    assertThat(Leaks.groups(engineGroup())).isEmpty();
  }

  @Test
  void afterAKillNoSandboxLivesAndTheNextStartSweepsTheRest() throws Exception {
    long sandbox = containers().getFirst().hostPid();
    Files.createDirectories(home.resolve("data/code/.content-1"));
    Files.createFile(home.resolve("data/empty/stray"));

    engine.destroyForcibly().waitFor();

    String group = engineGroup();
    awaitEnd(sandbox);
    assertThat(Leaks.groups(group)).as("only the next engine can remove them").isNotEmpty();
    Damage.FILLED_DIRECTORY.to(home.resolve("run/.funcletapi.sock"));
    Damage.FILLED_DIRECTORY.to(home.resolve("run/launcher.sock"));
    try (TestEngine next = TestEngine.start(home)) {
      assertThat(next.funclet().list()).extracting(ContainerInfo::state).containsOnly("cold");
      assertThat(home.resolve("data/code/.content-1")).doesNotExist();
      assertThat(home.resolve("data/empty/stray")).doesNotExist();
      assertThat(next.run(TestEngine.C0, "print('fine')")).isEqualTo("fine\n");
    }
    assertThat(Leaks.groups(group)).isEmpty();
  }

  private String engineGroup() {
    try (EngineLock lock = EngineLock.ofData(home.resolve("data"))) {
      return EngineCgroups.PREFIX + lock.engineId();
    }
  }

  private void awaitContainers() throws IOException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (engine.isAlive() && System.nanoTime() < deadline) {
      try {
        assertThat(containers()).hasSize(2);
        return;
      } catch (HttpException _) {
        LockSupport.parkNanos(10_000_000);
      }
    }
    throw new AssertionError("the engine did not start: " + Files.readString(home.resolve("log")));
  }

  private List<ContainerInfo> containers() {
    try (HttpClient client =
        new HttpClient(new HttpAddress.Unix(home.resolve("run/.funcletapi.sock")), loops)) {
      return Json.PASCAL.readList(
          client.send(HttpRequest.of("GET", "/v1/funclet/list"), PATIENCE).body(),
          ContainerInfo.class);
    }
  }

  private static void awaitEnd(long pid) {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (ProcessHandle.of(pid).isPresent() && System.nanoTime() < deadline) {
      LockSupport.parkNanos(1_000_000);
    }
    assertThat(ProcessHandle.of(pid)).as("sandbox %d", pid).isEmpty();
  }
}
