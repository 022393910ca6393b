package io.easyfaas.funclet.launch;

import static io.easyfaas.funclet.launch.LauncherFixture.PROGRAM;
import static io.easyfaas.funclet.launch.LauncherFixture.SLOT;
import static io.easyfaas.funclet.launch.LauncherFixture.TIMEOUT;
import static io.easyfaas.funclet.launch.LauncherFixture.done;
import static io.easyfaas.funclet.launch.LauncherFixture.signal;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.wire.ChannelAddress;
import io.easyfaas.funclet.HandOvers;
import io.easyfaas.funclet.RequiresRoot;
import io.easyfaas.funclet.cgroup.CgroupLimits;
import io.easyfaas.funclet.cgroup.Cgroups;
import io.easyfaas.funclet.cgroup.EngineCgroups;
import io.easyfaas.funclet.cgroup.SlotGroups;
import io.easyfaas.funclet.mount.SandboxLayout;
import io.netty.channel.unix.Socket;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The real launcher, spoken to directly: one sandbox in this machine's `/usr`, without groups.
@RequiresRoot
final class LauncherProcessIT {
  private static final String TOKEN = "0123456789abcdef".repeat(2);

  @TempDir private Path home;
  private final BlockingQueue<LauncherEvent> events = new LinkedBlockingQueue<>();
  private LauncherProcess launcher;
  private SandboxLayout layout;

  @BeforeEach
  void start() throws IOException {
    layout = LauncherFixture.layout(home);
    launcher = LauncherProcess.start(PROGRAM, home.resolve("launcher.sock"), events::add);
  }

  @AfterEach
  void end() throws IOException {
    launcher.close();
    launcher.close();
    assertThat(ProcessHandle.current().descendants()).isEmpty();
  }

  @Test
  void theSocketIsGoneOnceTheLauncherHasConnected() {
    assertThat(home.resolve("launcher.sock")).doesNotExist();
  }

  @Test
  void aCommandIsStartedSignalledAndItsEndReported() throws InterruptedException {
    long init = done(openAndCreate());
    done(launcher.call(layout.mountRuntime(home), TIMEOUT));
    long pid = done(launcher.call(layout.exec(List.of("/bin/sleep", "600"), null), TIMEOUT));

    assertThat(ProcessHandle.of(pid)).isPresent();
    assertThat(ProcessHandle.of(init)).isPresent();
    done(launcher.call(LauncherCommand.signal("s0", 15), TIMEOUT));

    assertThat(events.poll(20, TimeUnit.SECONDS))
        .isEqualTo(new LauncherEvent.Exited("s0", pid, 143, 15));
    done(launcher.call(LauncherCommand.destroy("s0"), TIMEOUT));
    assertThat(ProcessHandle.of(init)).isEmpty();
    done(launcher.call(LauncherCommand.destroy("s0"), TIMEOUT));
    done(launcher.call(LauncherCommand.close("s0"), TIMEOUT));
    assertThat(events).isEmpty();
  }

  @Test
  void theSandboxMadeInAdvanceIsTheNextOne() {
    ProcessHandle keeper = open();
    long init = done(launcher.call(layout.create(), TIMEOUT));
    done(launcher.call(layout.exec(List.of("/bin/sleep", "600"), null), TIMEOUT));
    long spare = spare(keeper, init);

    done(launcher.call(LauncherCommand.destroy("s0"), TIMEOUT));
    assertThat(ProcessHandle.of(init)).isEmpty();
    assertThat(done(launcher.call(layout.create(), TIMEOUT))).isEqualTo(spare);
    done(launcher.call(layout.mountRuntime(home), TIMEOUT));
    done(launcher.call(layout.exec(List.of("/bin/sleep", "600"), null), TIMEOUT));

    spare(keeper, spare);
    done(launcher.call(LauncherCommand.close("s0"), TIMEOUT));
    assertThat(ProcessHandle.current().descendants().map(ProcessHandle::pid))
        .containsExactly(launcher.pid());
  }

  @Test
  void aSandboxMadeInAdvanceForOtherOptionsIsNotTaken() {
    ProcessHandle keeper = open();
    long init = done(launcher.call(layout.create(), TIMEOUT));
    done(launcher.call(layout.exec(List.of("/bin/sleep", "600"), null), TIMEOUT));
    long spare = spare(keeper, init);
    SandboxLayout other =
        new SandboxLayout(SLOT, layout.rootfs(), layout.uids(), ByteSize.ofMebibytes(16));

    done(launcher.call(LauncherCommand.destroy("s0"), TIMEOUT));
    assertThat(done(launcher.call(other.create(), TIMEOUT))).isNotEqualTo(spare);
    assertThat(ProcessHandle.of(spare)).isEmpty();
  }

  @Test
  void aSlotAtRestHasNoSandboxInAdvanceUntilTheNextCommand() {
    ProcessHandle keeper = open();
    done(launcher.call(LauncherCommand.rest("s0"), TIMEOUT));
    long init = done(launcher.call(layout.create(), TIMEOUT));
    done(launcher.call(layout.exec(List.of("/bin/sleep", "600"), null), TIMEOUT));
    long spare = spare(keeper, init);

    done(launcher.call(LauncherCommand.rest("s0"), TIMEOUT));

    assertThat(keeper.children().map(ProcessHandle::pid)).containsExactly(init);
    done(launcher.call(LauncherCommand.destroy("s0"), TIMEOUT));
    long next = done(launcher.call(layout.create(), TIMEOUT));
    assertThat(next).isNotEqualTo(spare);
    done(launcher.call(layout.exec(List.of("/bin/sleep", "600"), null), TIMEOUT));
    assertThat(spare(keeper, next)).isPositive();
    assertThat(events).isEmpty();
  }

  @Test
  void theEndOfASandboxMadeInAdvanceIsNobodysLoss() {
    ProcessHandle keeper = open();
    long init = done(launcher.call(layout.create(), TIMEOUT));
    done(launcher.call(layout.exec(List.of("/bin/sleep", "600"), null), TIMEOUT));
    ProcessHandle.of(spare(keeper, init)).orElseThrow().destroyForcibly();

    done(launcher.call(LauncherCommand.destroy("s0"), TIMEOUT));
    done(launcher.call(layout.create(), TIMEOUT));
    done(launcher.call(layout.exec(List.of("/bin/sleep", "600"), null), TIMEOUT));
    assertThat(events).isEmpty();
  }

  @Test
  void aKilledKeeperTakesBothItsSandboxesAlong() throws InterruptedException {
    ProcessHandle keeper = open();
    long init = done(launcher.call(layout.create(), TIMEOUT));
    done(launcher.call(layout.exec(List.of("/bin/sleep", "600"), null), TIMEOUT));
    long spare = spare(keeper, init);

    keeper.destroyForcibly();

    assertThat(events.poll(20, TimeUnit.SECONDS)).isEqualTo(new LauncherEvent.Gone("s0"));
    assertThat(ProcessHandle.of(init)).isEmpty();
    assertThat(ProcessHandle.of(spare)).isEmpty();
    done(openAndCreate());
  }

  @Test
  void theEndOfOneKeeperAmongManyIsItsSlotsAlone() throws InterruptedException {
    List<String> slots = List.of("s1", "s2", "s3", "s4", "s5");
    slots.forEach(this::open);

    open("s0").destroyForcibly();

    assertThat(events.poll(20, TimeUnit.SECONDS)).isEqualTo(new LauncherEvent.Gone("s0"));
    for (String slot : slots) {
      done(launcher.call(LauncherCommand.destroy(slot), TIMEOUT));
      done(launcher.call(LauncherCommand.close(slot), TIMEOUT));
    }
    done(openAndCreate());
    assertThat(events).isEmpty();
  }

  @Test
  void aRequestLargerThanTheSocketTakesGoesOnWhenTheKeeperReads() throws Exception {
    ProcessHandle keeper = open();
    open("s1");
    done(launcher.call(layout.create(), TIMEOUT));
    signal("STOP", keeper.pid());

    // A socket takes 208 KiB, see net.core.wmem_default in socket(7).
    LauncherCommand large =
        layout.exec(List.of("/bin/echo", "x".repeat(120_000), "y".repeat(130_000)), null);
    CompletableFuture<LaunchReport> answer =
        CompletableFuture.supplyAsync(() -> launcher.call(large, TIMEOUT));
    for (int i = 0; i < 20; i++) {
      done(launcher.call(LauncherCommand.destroy("s1"), TIMEOUT));
    }
    assertThat(answer).isNotDone();
    signal("CONT", keeper.pid());

    done(answer.get(20, TimeUnit.SECONDS));
  }

  @Test
  void aRefusalNamesTheStep() {
    done(openAndCreate());

    assertThat(launcher.call(layout.exec(List.of("/bin/nothing"), null), TIMEOUT))
        .isInstanceOfSatisfying(
            LaunchReport.Refused.class,
            refused -> {
              assertThat(refused.step()).isEqualTo("exec");
              assertThat(refused.error()).isEqualTo("ENOENT");
            });
    assertThat(launcher.call(LauncherCommand.destroy("other"), TIMEOUT).describe())
        .startsWith("slot")
        .contains("ENOENT");
  }

  @Test
  void aCommandInheritsEndsOfItsOwnAndNothingElse() throws Exception {
    String token = "5ec2e7".repeat(5) + "00";
    String lookAround =
        """
        import os, socket
        channel = socket.fromfd(3, socket.AF_UNIX, socket.SOCK_STREAM)
        channel.sendall(b"hello")
        print(channel.recv(99).decode())
        print([fd for fd in range(64) if os.path.exists("/proc/self/fd/%d" % fd) and fd != channel.fileno()])
        own = b"".join(open("/proc/self/" + name, "rb").read() for name in ("cmdline", "environ"))
        print(b"5ec2e7" + b"5ec2e7" in own, b"c.so" + b"ck" in own)
        os.write(2, b"to 2\\n")
        open("/dev/stderr", "w").write("opened anew\\n")
        os.system("echo from a child >/dev/stdout")
        """;
    done(openAndCreate());
    try (HandOvers engine = new HandOvers(home.resolve("c.sock"))) {
      done(
          launcher.call(
              layout.exec(
                  List.of("/usr/bin/python3", "-u", "-c", lookAround), engine.address(token, 0)),
              TIMEOUT));

      HandOvers.HandOver runner = engine.next();
      assertThat(runner.greeting()).isEqualTo("454643480101" + "0000" + token);
      assertThat(runner.said().get(20, TimeUnit.SECONDS)).isEqualTo("hello");
      runner.say("welcome");
      try (var output = runner.reader()) {
        assertThat(output.lines())
            .containsExactly(
                "welcome", "[0, 1, 2, 3]", "False False", "to 2", "opened anew", "from a child");
      }
    }
  }

  @Test
  void theEngineGetsAListenerOfTheSandboxsOwnNetwork() throws Exception {
    String client =
        """
        import socket
        socket.create_connection(("127.0.0.1", 9001)).sendall(b"from inside")
        """;
    done(openAndCreate());
    try (HandOvers engine = new HandOvers(home.resolve("c.sock"))) {
      done(
          launcher.call(
              layout.exec(List.of("/usr/bin/python3", "-c", client), engine.address(TOKEN, 9001)),
              TIMEOUT));

      HandOvers.HandOver listener = engine.next();
      assertThat(listener.greeting()).isEqualTo("454643480102" + "0000" + TOKEN);
      assertThat(engine.next().greeting()).startsWith("454643480101");
      Socket listening = new Socket(listener.descriptor().intValue());
      ByteBuffer bytes = ByteBuffer.allocateDirect(64);
      Socket accepted = new Socket(waitFor(() -> listening.accept(new byte[32])));
      int size = waitFor(() -> accepted.recv(bytes, 0, 64));
      assertThat(StandardCharsets.US_ASCII.decode(bytes.limit(size)).toString())
          .isEqualTo("from inside");
      accepted.close();
      assertThat(portIsTaken(9001)).as("on the host's loopback").isFalse();

      // The listener holds the port as long as anybody has it.
      assertThat(events.poll(20, TimeUnit.SECONDS)).isInstanceOf(LauncherEvent.Exited.class);
      assertThat(
              launcher
                  .call(layout.exec(List.of("/bin/true"), engine.address(TOKEN, 9001)), TIMEOUT)
                  .describe())
          .contains("listen 9001: EADDRINUSE");
      listening.close();
      done(launcher.call(layout.exec(List.of("/bin/true"), engine.address(TOKEN, 9001)), TIMEOUT));
    }
  }

  @Test
  void aChannelThatNobodyTakesFailsTheCommand() throws IOException {
    done(openAndCreate());
    ChannelAddress nobody = new ChannelAddress(home + "/none.sock", TOKEN, 0);
    assertThat(launcher.call(layout.exec(List.of("/bin/true"), nobody), TIMEOUT).describe())
        .contains("channel " + home + "/none.sock: ENOENT");

    Path stuck = home.resolve("stuck.sock");
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        SocketChannel first = SocketChannel.open(StandardProtocolFamily.UNIX);
        SocketChannel second = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(UnixDomainSocketAddress.of(stuck), 1); // Two wait, then connecting does.
      first.connect(UnixDomainSocketAddress.of(stuck));
      second.connect(UnixDomainSocketAddress.of(stuck));

      ChannelAddress busy = new ChannelAddress(stuck.toString(), TOKEN, 0);
      assertThat(launcher.call(layout.exec(List.of("/bin/true"), busy), TIMEOUT).describe())
          .contains("channel " + stuck + ": ETIMEDOUT");
    }
    done(launcher.call(layout.exec(List.of("/bin/true"), null), TIMEOUT));
  }

  @Test
  void manyHandOversLeaveNoDescriptorInTheKeeper() {
    ProcessHandle keeper = open();
    done(launcher.call(layout.create(), TIMEOUT));
    try (HandOvers engine = new HandOvers(home.resolve("c.sock"))) {
      List<Integer> counts = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        done(
            launcher.call(
                layout.exec(List.of("/bin/true"), engine.address(TOKEN, 9000 + i)), TIMEOUT));
        assertThat(waitFor(() -> events.poll() == null ? 0 : 1)).isEqualTo(1);
        counts.add(
            Objects.requireNonNull(Path.of("/proc/" + keeper.pid() + "/fd").toFile().list())
                .length);
      }
      assertThat(counts).as("after its spare has been made").endsWith(counts.get(10));
    }
  }

  @Test
  void aKilledLauncherAnswersEveryCallAndTakesItsSandboxesAlong() throws InterruptedException {
    long init = done(openAndCreate());
    ProcessHandle sandbox = ProcessHandle.of(init).orElseThrow();

    ProcessHandle.of(launcher.pid()).orElseThrow().destroyForcibly();

    assertThat(events.poll(20, TimeUnit.SECONDS))
        .isEqualTo(new LauncherEvent.LauncherDied("launcher: it ended"));
    assertThat(launcher.call(LauncherCommand.destroy("s0"), TIMEOUT))
        .isEqualTo(new LaunchReport.Lost("launcher: it ended"));
    assertThat(sandbox.onExit().orTimeout(20, TimeUnit.SECONDS).join().isAlive()).isFalse();
  }

  @Test
  void aKilledLauncherTakesAKeeperAlongThatCannotReadOfItsEnd() throws Exception {
    ProcessHandle keeper = open();
    done(launcher.call(layout.create(), TIMEOUT));
    try (HandOvers engine = new HandOvers(home.resolve("c.sock"))) {
      LauncherCommand sleep =
          layout.exec(List.of("/bin/sleep", "600"), engine.address(TOKEN, 9000));
      done(launcher.call(sleep, TIMEOUT));
      signal("STOP", keeper.pid());

      ProcessHandle.of(launcher.pid()).orElseThrow().destroyForcibly();

      assertThat(keeper.onExit().orTimeout(20, TimeUnit.SECONDS).join().isAlive()).isFalse();
    } finally {
      keeper.destroyForcibly();
    }
  }

  @Test
  void whoIsInterruptedEndsNobodysSandbox() {
    done(openAndCreate());

    Thread.currentThread().interrupt();
    LaunchReport unheard = launcher.call(LauncherCommand.rest("s0"), TIMEOUT);

    assertThat(Thread.interrupted()).isTrue();
    assertThat(unheard.describe()).isEqualTo("rest s0: interrupted");
    done(launcher.call(layout.exec(List.of("/bin/true"), null), TIMEOUT));
  }

  @Test
  void whoComesAfterTheCloseIsToldSo() {
    launcher.close();

    LaunchReport refused = launcher.call(LauncherCommand.rest("s0"), TIMEOUT);

    assertThat(refused.describe()).startsWith("launcher: ").doesNotContain("null");
  }

  @Test
  void aLauncherThatDoesNotAnswerIsNotWaitedForForEver() throws Exception {
    done(openAndCreate());
    signal("STOP", launcher.pid());

    LaunchReport late = launcher.call(LauncherCommand.destroy("s0"), Duration.ofMillis(100));
    signal("CONT", launcher.pid());

    assertThat(late.describe()).isEqualTo("destroy s0: the launcher did not answer in 100ms");
    done(launcher.call(LauncherCommand.close("s0"), TIMEOUT));
  }

  @Test
  void aFrozenSandboxIsDestroyedByItsKeeperAndTheNextOneStartsThawed() {
    Cgroups cgroups =
        EngineCgroups.of(
            "%08x".formatted(ProcessHandle.current().pid()), Path.of("/sys/fs/cgroup"));
    cgroups.prepare();
    try {
      SlotGroups groups =
          cgroups.create("s0", new CgroupLimits(ByteSize.ofMebibytes(64), 1, 0, 99));
      assumeThat(groups.sandbox()).as("version 2 of control groups").isNotNull();
      done(launcher.call(LauncherCommand.open("s0", groups.joined(), groups.sandbox()), TIMEOUT));
      long init = done(launcher.call(layout.create(), TIMEOUT));
      done(launcher.call(layout.exec(List.of("/bin/sleep", "600"), null), TIMEOUT));
      cgroups.freeze("s0");
      assertThat(cgroups.stats("s0").isFrozen()).isTrue();

      done(launcher.call(LauncherCommand.destroy("s0"), TIMEOUT));
      assertThat(ProcessHandle.of(init)).isEmpty();
      cgroups.thaw("s0");
      done(launcher.call(layout.create(), TIMEOUT));
      done(launcher.call(LauncherCommand.close("s0"), TIMEOUT));
    } finally {
      cgroups.removeAll();
    }
  }

  @Test
  void aProgramThatIsNoLauncherIsRefused() {
    assertThatExceptionOfType(LaunchException.class)
        .isThrownBy(
            () -> LauncherProcess.start(Path.of("/nowhere"), home.resolve("x"), events::add))
        .withMessageContaining("start /nowhere")
        .withMessageContaining("Hint: there is no such file");
    assertThatExceptionOfType(LaunchException.class)
        .isThrownBy(
            () -> LauncherProcess.start(Path.of("/bin/false"), home.resolve("x"), events::add))
        .withMessageContaining("start /bin/false: ended with status 1");
    assertThat(home.resolve("x")).doesNotExist();
  }

  @Test
  void anEventThatCannotBeTakenKeepsNobodyFromBeingHeard() throws InterruptedException {
    launcher.close();
    BlockingQueue<LauncherEvent> seen = new LinkedBlockingQueue<>();
    launcher =
        LauncherProcess.start(
            PROGRAM,
            home.resolve("launcher.sock"),
            event -> {
              seen.add(event);
              throw new LinkageError("of the engine");
            });
    done(openAndCreate());
    done(launcher.call(layout.mountRuntime(home), TIMEOUT));
    done(launcher.call(layout.exec(List.of("/bin/true"), null), TIMEOUT));
    assertThat(seen.poll(20, TimeUnit.SECONDS)).isInstanceOf(LauncherEvent.Exited.class);

    done(launcher.call(LauncherCommand.close("s0"), TIMEOUT));
    assertThat(seen).isEmpty();
  }

  @Test
  void noProcessOfASandboxOutweighsAnother() throws IOException {
    long keeper = open().pid();
    long init = done(launcher.call(layout.create(), TIMEOUT));
    done(launcher.call(layout.mountRuntime(home), TIMEOUT));
    long command = done(launcher.call(layout.exec(List.of("/bin/sleep", "600"), null), TIMEOUT));

    int own = niceValue(ProcessHandle.current().pid());
    for (long pid : List.of(keeper, init, command)) {
      assertThat(niceValue(pid)).describedAs("of process %d", pid).isEqualTo(own);
    }
  }

  /// Its 19th field, the 17th behind the name in parentheses, see proc_pid_stat(5).
  private static int niceValue(long pid) throws IOException {
    String stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
    return Integer.parseInt(stat.substring(stat.lastIndexOf(')') + 2).split(" ")[16]);
  }

  /// Opens the slot and answers its keeper.
  private ProcessHandle open() {
    return open("s0");
  }

  private ProcessHandle open(String slot) {
    long keeper = done(launcher.call(LauncherCommand.open(slot, List.of(), null), TIMEOUT));
    return ProcessHandle.of(keeper).orElseThrow();
  }

  /// Waits until the keeper has a second sandbox.
  private static long spare(ProcessHandle keeper, long init) {
    long deadline = System.nanoTime() + TIMEOUT.toNanos();
    while (keeper.children().count() < 2 && System.nanoTime() < deadline) {
      LockSupport.parkNanos(1_000_000);
    }
    return keeper.children().mapToLong(ProcessHandle::pid).filter(pid -> pid != init).sum();
  }

  private LaunchReport openAndCreate() {
    open();
    return launcher.call(layout.create(), TIMEOUT);
  }

  /// Repeats what does not block until it is more than 0.
  private static int waitFor(Callable<Integer> attempt) {
    long deadline = System.nanoTime() + TIMEOUT.toNanos();
    try {
      int result = attempt.call();
      while (result <= 0 && System.nanoTime() < deadline) {
        LockSupport.parkNanos(1_000_000);
        result = attempt.call();
      }
      return result;
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  private static boolean portIsTaken(int port) throws IOException {
    try (var socket = new java.net.Socket()) {
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      return true;
    } catch (java.net.ConnectException _) {
      return false;
    }
  }
}
