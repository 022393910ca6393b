package io.easyfaas.funclet;

import static io.easyfaas.funclet.TestEngine.C0;
import static io.easyfaas.funclet.TestEngine.C1;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.easyfaas.common.config.ConfigException;
import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.common.http.EventLoops;
import io.easyfaas.common.http.HttpAddress;
import io.easyfaas.common.http.HttpClient;
import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ChannelAddress;
import io.easyfaas.common.wire.ContainerInfo;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.wire.FreezeRequest;
import io.easyfaas.common.wire.PrewarmRequest;
import io.easyfaas.common.wire.ResetRequest;
import io.easyfaas.common.wire.RunnerExit;
import io.easyfaas.common.wire.WarmupRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A whole engine on the real kernel.
@RequiresRoot
final class FuncletIT {
  private static final Logger LOG = LoggerFactory.getLogger(FuncletIT.class);
  private static final String SLEEP = "import time\nprint('up')\ntime.sleep(600)\n";

  @TempDir private Path home;
  private Leaks leaks;
  private TestEngine engine;

  @BeforeEach
  void start() {
    leaks = new Leaks(home);
    engine = TestEngine.start(home);
  }

  @AfterEach
  void nothingIsLeft() {
    engine.close();
    leaks.assertNone();
  }

  @Test
  void everySlotStartsCold() {
    assertThat(engine.funclet().list())
        .extracting(ContainerInfo::containerID, ContainerInfo::state, ContainerInfo::generation)
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple(C0, "cold", 1L),
            org.assertj.core.groups.Tuple.tuple(C1, "cold", 1L));
  }

  @Test
  void aWarmContainerHasItsFunctionsMemory() {
    try (Output output = engine.warmup(C0, SLEEP, 96)) {
      assertThat(output.line()).isEqualTo("up");

      ContainerInfo info = engine.info(C0);
      assertThat(info.state()).isEqualTo("warm");
      var stats = requireNonNull(info.resourceStats());
      assertThat(stats.memoryStats().limit()).isEqualTo(96 << 20);
      assertThat(stats.memoryStats().swapLimit()).isEqualTo(96 << 20);
      assertThat(stats.memoryStats().usage()).isPositive();
      assertThat(stats.cpuStats().totalUsage()).isPositive();
      assertThat(stats.freezerState()).isEqualTo("THAWED");
      assertThat(engine.funclet().node().resource().used().memory()).isEqualTo(96 << 20);

      engine.reset(C0);
      assertThat(requireNonNull(engine.info(C0).resourceStats()).memoryStats().limit())
          .isEqualTo(64 << 20);
      assertThat(engine.funclet().node().resource().used().memory()).isZero();
    }
  }

  @Test
  void aPrewarmedRunnerGetsItsCodeWhileItRuns() throws IOException {
    Files.writeString(
        home.resolve("runtime/runner.py"),
        """
        import os, runpy, time
        print(os.listdir("/var/task"))
        while not os.path.exists("/var/task/main.py"):
            time.sleep(0.001)
        runpy.run_path("/var/task/main.py")
        """);
    WarmupRequest request = engine.request(C0, "print('loaded')", 96, null);
    RuntimeConfiguration runtime =
        new RuntimeConfiguration(
            "python3",
            "/usr/bin/python3",
            home.resolve("runtime").toString(),
            List.of("-u", "/var/runtime/runner.py"),
            List.of());
    try (Output output = Output.listen(home)) {
      engine.funclet().prewarm(new PrewarmRequest(C0, "it", runtime, output.address()));
      assertThat(output.line()).isEqualTo("[]");
      assertThat(engine.info(C0).state()).isEqualTo("prewarmed");

      engine
          .funclet()
          .warmup(
              new WarmupRequest(C0, "it", request.code(), request.configuration(), runtime, null));

      assertThat(output.all()).isEqualTo("loaded\n");
      assertThat(engine.funclet().node().resource().used().memory()).isEqualTo(96 << 20);
      engine.reset(C0);
      assertThat(engine.funclet().node().resource().used().memory()).isZero();
    }
  }

  @Test
  void aFrozenContainerUsesNoProcessorTimeUntilItIsThawed() {
    try (Output output = engine.warmup(C0, "print('up')\nwhile True: pass", 64)) {
      assertThat(output.line()).isEqualTo("up");
      engine.funclet().freeze(new FreezeRequest(C0, "it"));
      engine.funclet().freeze(new FreezeRequest(C0, "it"));
      assertThat(engine.info(C0).isFrozen()).isTrue();
      long before = cpuNanosAtRest();
      LockSupport.parkNanos(50_000_000);
      assertThat(cpuNanos()).isEqualTo(before);

      engine.funclet().thaw(new FreezeRequest(C0, "it"));
      engine.funclet().thaw(new FreezeRequest(C0, "it"));
      assertThat(engine.info(C0).isFrozen()).isFalse();
      while (cpuNanos() == before) {
        LockSupport.parkNanos(1_000_000);
      }

      engine.funclet().freeze(new FreezeRequest(C0, "it"));
      assertThat(engine.reset(C0).exit()).isNull();
      assertThat(engine.info(C0).state()).isEqualTo("cold");
      assertThat(engine.info(C0).isFrozen()).isFalse();
    }
  }

  /// The kernel accounts for a process's last moments when it has left the processor.
  private long cpuNanosAtRest() {
    long before;
    long after = cpuNanos();
    int tries = 0;
    do {
      assertThat(++tries).isLessThan(20);
      before = after;
      LockSupport.parkNanos(10_000_000);
      after = cpuNanos();
    } while (after != before);
    return after;
  }

  private long cpuNanos() {
    return requireNonNull(engine.info(C0).resourceStats()).cpuStats().totalUsage();
  }

  @Test
  void aRunnerThatRunsHasNoExit() {
    try (Output output = engine.warmup(C0, SLEEP, 64)) {
      assertThat(output.line()).isEqualTo("up");

      assertThat(engine.reset(C0).exit()).isNull();
    }
  }

  @Test
  void aRunnerThatEndsIsReportedWithItsStatus() {
    try (Output output = engine.warmup(C0, "raise SystemExit(3)", 64)) {
      assertThat(output.all()).isEmpty();

      assertThat(engine.reset(C0).exit()).isEqualTo(new RunnerExit(3, 0, false));
    }
  }

  @Test
  void aRunnerThatIsKilledIsReportedWithItsSignal() {
    try (Output output = engine.warmup(C0, "import os\nos.kill(os.getpid(), 11)", 64)) {
      assertThat(output.all()).isEmpty();

      assertThat(engine.reset(C0).exit()).isEqualTo(new RunnerExit(139, 11, false));
    }
  }

  @Test
  void theKernelsKillAtTheMemoryLimitIsRecognised() {
    try (Output output =
        engine.warmup(C0, "print('up')\nx = b'x' * (200 << 20)\nprint('no')", 64)) {
      assertThat(output.all()).isEqualTo("up\n");

      assertThat(engine.reset(C0).exit()).isEqualTo(new RunnerExit(137, 9, true));
    }
    assertThat(engine.run(C0, "print('again')")).isEqualTo("again\n");
  }

  @Test
  void aForkBombIsBoundedByPidsMax() {
    String bomb =
        """
        import os, time
        children = 0
        try:
            while True:
                if os.fork() == 0:
                    time.sleep(600)
                children += 1
        except OSError as e:
            print(children, os.strerror(e.errno))
        time.sleep(600)
        """;
    try (Output output = engine.warmup(C0, bomb, 256)) {
      String[] line = output.line().split(" ", 2);

      assertThat(Integer.parseInt(line[0])).isBetween(200, 255);
      assertThat(line[1]).isEqualTo("Resource temporarily unavailable");
      assertThat(engine.reset(C0).container().state()).isEqualTo("cold");
    }
  }

  @Test
  void temporaryFilesAreLimited() {
    String fill =
        """
        import os
        def fill(path):
            written = 0
            try:
                with open(path, "wb", buffering=0) as f:
                    while True:
                        written += f.write(b"x" * 1048576)
            except OSError as e:
                print(written >> 20, os.strerror(e.errno))
            os.remove(path)
        fill("/tmp/x")
        fill("/dev/shm/x")
        """;
    try (Output output = engine.warmup(C0, fill, 256)) {
      assertThat(output.all().lines())
          .containsExactly("64 No space left on device", "16 No space left on device");
    }
  }

  @Test
  void aResetLeavesNothingOfTheGenerationBefore() {
    String litter =
        """
        import ctypes, os, socket, time
        libc = ctypes.CDLL(None, use_errno=True)
        open("/tmp/left", "w").write("x")
        open("/dev/shm/left", "w").write("x")
        print("shm", libc.shmget(0x1234, 4096, 0o1666) >= 0)
        print("semaphore", libc.semget(0x1234, 1, 0o1666) >= 0)
        abstract = socket.socket(socket.AF_UNIX)
        abstract.bind("\\0left")
        tcp = socket.socket()
        tcp.bind(("127.0.0.1", 4321))
        tcp.listen()
        client = socket.create_connection(("127.0.0.1", 4321))
        accepted, _ = tcp.accept()
        client.close()
        accepted.close()
        print("lingering", any(" 06 " in line for line in open("/proc/net/tcp")))
        if os.fork() == 0:
            os.setsid()
            time.sleep(600)
        print("done")
        time.sleep(600)
        """;
    String look =
        """
        import ctypes, os, socket
        libc = ctypes.CDLL(None, use_errno=True)
        print(os.listdir("/tmp"), os.listdir("/dev/shm"))
        print(libc.shmget(0x1234, 4096, 0), libc.semget(0x1234, 1, 0))
        print(len(open("/proc/net/tcp").readlines()),
              [line.split()[1:3] for line in open("/proc/net/dev") if " lo:" in line],
              [line for line in open("/proc/net/snmp") if "Tcp: 1 " in line][0].split()[5:11])
        abstract = socket.socket(socket.AF_UNIX)
        abstract.bind("\\0left")
        tcp = socket.socket()
        print(tcp.connect_ex(("127.0.0.1", 4321)) != 0)
        tcp2 = socket.socket()
        tcp2.bind(("127.0.0.1", 4321))
        print(len([p for p in os.listdir("/proc") if p.isdigit()]))
        """;
    try (Output output = engine.warmup(C0, litter, 64)) {
      assertThat(output.line()).isEqualTo("shm True");
      assertThat(output.line()).isEqualTo("semaphore True");
      assertThat(output.line()).isEqualTo("lingering True");
      assertThat(output.line()).isEqualTo("done");
      long next = sandboxMadeInAdvance();
      engine.reset(C0);
      assertThat(engine.info(C0).hostPid()).isEqualTo(next);
      assertThat(output.all()).as("no process of it writes any more").isEmpty();
    }

    assertThat(engine.run(C0, look).lines())
        .containsExactly(
            "[] []", "-1 -1", "1 [['0', '0']] ['0', '0', '0', '0', '0', '0']", "True", "1");
  }

  /// Waits for the sandbox after the one of the first container.
  private long sandboxMadeInAdvance() {
    long now = engine.info(C0).hostPid();
    ProcessHandle keeper = ProcessHandle.of(now).flatMap(ProcessHandle::parent).orElseThrow();
    long deadline = System.nanoTime() + Duration.ofSeconds(10).toNanos();
    while (keeper.children().count() < 2 && System.nanoTime() < deadline) {
      LockSupport.parkNanos(1_000_000);
    }
    return keeper.children().mapToLong(ProcessHandle::pid).filter(pid -> pid != now).sum();
  }

  @Test
  void neighboursDoNotShareAnything() {
    try (Output one = engine.warmup(C0, "open('/tmp/x', 'w')\n" + SLEEP, 64);
        Output two = engine.warmup(C1, "import os\nprint(os.listdir('/tmp'))\n" + SLEEP, 64)) {
      assertThat(one.line()).isEqualTo("up");
      assertThat(two.line()).isEqualTo("[]");
    }
  }

  @Test
  void manyWarmupsAndResetsLeaveNothing() {
    engine.run(C0, "print('first')");
    long before = requireNonNull(engine.info(C0).resourceStats()).memoryStats().usage();
    long[] warmups = new long[20];
    long[] resets = new long[20];
    for (int i = 0; i < 20; i++) {
      try (Output output = Output.listen(home)) {
        WarmupRequest request = engine.request(C0, SLEEP, 64, output.address());
        long start = System.nanoTime();
        engine.funclet().warmup(request);
        warmups[i] = System.nanoTime() - start;
        assertThat(output.line()).isEqualTo("up");
        start = System.nanoTime();
        engine.reset(C0);
        resets[i] = System.nanoTime() - start;
      }
    }
    LOG.info("warm-up: {}; reset: {}", median(warmups), median(resets));

    assertThat(engine.info(C0).generation()).isEqualTo(22);
    assertThat(requireNonNull(engine.info(C0).resourceStats()).memoryStats().usage())
        .as("memory charged to an empty slot")
        .isLessThan(before + (4 << 20));
  }

  @Test
  void nobodyTakingTheChannelFailsTheWarmupAndUndoesIt() {
    ChannelAddress nobodys = new ChannelAddress("/nowhere.sock", "00".repeat(16), 0);

    assertThatExceptionOfType(ApiException.class)
        .isThrownBy(() -> engine.funclet().warmup(engine.request(C0, SLEEP, 64, nobodys)))
        .withMessageContaining("channel /nowhere.sock: ENOENT");

    assertThat(engine.info(C0).state()).isEqualTo("cold");
    assertThat(engine.funclet().node().resource().used().memory()).isZero();
    assertThat(engine.run(C0, "print('fine')")).isEqualTo("fine\n");
  }

  @Test
  void moreMemoryThanThereIsIsRefused() {
    assertThatExceptionOfType(ApiException.class)
        .isThrownBy(() -> engine.warmup(C0, SLEEP, 1 << 20))
        .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.TOO_MANY_REQUESTS));
  }

  @Test
  void aSandboxKilledFromOutsideIsBrokenAndCanBeReborn() {
    try (Output output = engine.warmup(C0, SLEEP, 64)) {
      assertThat(output.line()).isEqualTo("up");
      kill(engine.info(C0).hostPid());

      assertThat(output.all()).isEmpty();
      awaitState("broken");
      assertThat(engine.reset(C0).container().state()).isEqualTo("cold");
    }
    assertThat(engine.run(C0, "print('fine')")).isEqualTo("fine\n");
  }

  @Test
  void aDeadLauncherTakesEverySandboxAlongAndIsStartedAgain() {
    long before = engine.info(C0).hostPid();
    try (Output output = engine.warmup(C0, SLEEP, 64)) {
      assertThat(output.line()).isEqualTo("up");
      launchers().forEach(ProcessHandle::destroyForcibly);

      assertThat(output.all()).as("its end is the end of the sandbox").isEmpty();
    }
    awaitNewSandbox(before);
    assertThat(Path.of("/proc/" + before + "/status"))
        .satisfiesAnyOf(
            status -> assertThat(status).doesNotExist(),
            status -> assertThat(status).content().contains("State:\tZ"));
    assertThat(engine.run(C0, "print('fine')")).isEqualTo("fine\n");
  }

  @Test
  void aStoppedLauncherIsStartedAgain() throws Exception {
    long before = engine.info(C0).hostPid();
    long launcher = launchers().mapToLong(ProcessHandle::pid).sum();

    stop(launcher);

    awaitNewSandbox(before);
    assertThat(ProcessHandle.of(launcher)).isEmpty();
    assertThat(engine.run(C0, "print('fine')")).isEqualTo("fine\n");
  }

  @Test
  void aStoppedKeeperIsReplacedByTheReset() throws Exception {
    ProcessHandle keeper =
        ProcessHandle.of(engine.info(C0).hostPid()).flatMap(ProcessHandle::parent).orElseThrow();

    stop(keeper.pid());

    assertThat(engine.reset(C0).container().state()).isEqualTo("cold");
    assertThat(keeper.isAlive()).isFalse();
    assertThat(engine.run(C0, "print('fine')")).isEqualTo("fine\n");
  }

  @Test
  void aSecondEngineOnTheSameDataIsRefused() {
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> TestEngine.start(home))
        .withMessageContaining("is in use by another engine (pid " + ProcessHandle.current().pid());
  }

  @Test
  void theApiIsServedOnTheUnixSocket() {
    try (EventLoops loops = new EventLoops(1);
        HttpClient client =
            new HttpClient(new HttpAddress.Unix(home.resolve("run/.funcletapi.sock")), loops);
        Output output = Output.listen(home)) {
      HttpResponse warm =
          client.send(
              HttpRequest.of(
                  "POST",
                  "/v1/funclet/warmup?timeout=10s",
                  Json.PASCAL.write(engine.request(C0, SLEEP, 64, output.address()))),
              Duration.ofSeconds(20));
      assertThat(warm.text()).contains("\"State\":\"warm\"");
      assertThat(output.line()).isEqualTo("up");

      HttpResponse cold =
          client.send(
              HttpRequest.of(
                  "POST",
                  "/v1/funclet/cooldown?timeout=30s",
                  Json.PASCAL.write(new ResetRequest(C0, "it", "idle"))),
              Duration.ofSeconds(40));
      assertThat(cold.text()).contains("\"State\":\"cold\"").doesNotContain("Exit");
    }
  }

  private static String median(long[] nanos) {
    Arrays.sort(nanos);
    return "median %d us, slowest %d us"
        .formatted(nanos[nanos.length / 2] / 1000, nanos[nanos.length - 1] / 1000);
  }

  private void awaitState(String state) {
    long deadline = System.nanoTime() + Duration.ofSeconds(10).toNanos();
    while (!stateOfC0().equals(state) && System.nanoTime() < deadline) {
      LockSupport.parkNanos(1_000_000);
    }
    assertThat(stateOfC0()).isEqualTo(state);
  }

  private void awaitNewSandbox(long before) {
    long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (System.nanoTime() < deadline) {
      ContainerInfo info = engine.funclet().list().getFirst();
      if (info.state().equals("cold")
          && info.currentEvent().isEmpty()
          && info.hostPid() != before) {
        return;
      }
      LockSupport.parkNanos(1_000_000);
    }
    throw new AssertionError("no new sandbox: " + engine.funclet().list());
  }

  private String stateOfC0() {
    return engine.funclet().list().getFirst().state();
  }

  private static java.util.stream.Stream<ProcessHandle> launchers() {
    // Not the one that only looks at the machine, at the start.
    return ProcessHandle.current()
        .children()
        .filter(child ->
            child.info().arguments().map(Arrays::asList).orElse(List.of()).contains("serve"));
  }

  private static void stop(long pid) throws Exception {
    new ProcessBuilder("kill", "-STOP", Long.toString(pid)).start().waitFor();
  }

  private static void kill(long pid) {
    ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
  }
}
