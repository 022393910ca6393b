package io.easyfaas.funclet.launch;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.funclet.FuncletConfig;
import io.easyfaas.funclet.RequiresRoot;
import io.easyfaas.funclet.cgroup.CgroupLimits;
import io.easyfaas.funclet.cgroup.Cgroups;
import io.easyfaas.funclet.cgroup.EngineCgroups;
import io.easyfaas.funclet.cgroup.SlotGroups;
import io.easyfaas.funclet.mount.Rootfs;
import io.easyfaas.funclet.mount.SandboxLayout;
import io.easyfaas.funclet.mount.SlotFiles;
import io.easyfaas.funclet.mount.UidRange;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
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
  private static final Duration TIMEOUT = Duration.ofSeconds(20);
  private static final Path PROGRAM = FuncletConfig.parse(List.of(), Map.of()).launcher();
  private static final ContainerId SLOT = new ContainerId("s0");

  @TempDir private Path home;
  private final BlockingQueue<LauncherEvent> events = new LinkedBlockingQueue<>();
  private LauncherProcess launcher;
  private ServerSocketChannel output;
  private SandboxLayout layout;

  @BeforeEach
  void start() throws IOException {
    Path rootfs = home.resolve("rootfs");
    for (String directory :
        List.of("usr", "etc", "proc", "dev", "tmp", "run/easyfaas", "var/task", "var/runtime")) {
      Files.createDirectories(rootfs.resolve(directory));
    }
    for (String directory : List.of("bin", "lib", "lib64")) {
      Files.createSymbolicLink(rootfs.resolve(directory), Path.of("usr", directory));
    }
    SlotFiles files = new SlotFiles(home, home);
    layout =
        new SandboxLayout(
            SLOT,
            new Rootfs(rootfs, List.of(new LauncherCommand.Bind(Path.of("/usr"), "/usr")), false),
            files.socketDirectory(SLOT),
            files.hosts(SLOT),
            UidRange.of("00000007", 7),
            ByteSize.ofMebibytes(8));
    files.make(layout);
    Path socket = layout.socketDirectory().resolve("output.sock");
    output = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    output.bind(UnixDomainSocketAddress.of(socket));
    Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-rw-rw-"));
    launcher = LauncherProcess.start(PROGRAM, home.resolve("launcher.sock"), events::add);
  }

  @AfterEach
  void end() throws IOException {
    launcher.close();
    launcher.close();
    output.close();
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
    long pid = done(launcher.call(layout.exec(List.of("/bin/sleep", "600")), TIMEOUT));

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
    done(launcher.call(layout.exec(List.of("/bin/sleep", "600")), TIMEOUT));
    long spare = spare(keeper, init);

    done(launcher.call(LauncherCommand.destroy("s0"), TIMEOUT));
    assertThat(ProcessHandle.of(init)).isEmpty();
    assertThat(done(launcher.call(layout.create(), TIMEOUT))).isEqualTo(spare);
    done(launcher.call(layout.mountRuntime(home), TIMEOUT));
    done(launcher.call(layout.exec(List.of("/bin/sleep", "600")), TIMEOUT));

    spare(keeper, spare);
    done(launcher.call(LauncherCommand.close("s0"), TIMEOUT));
    assertThat(ProcessHandle.current().descendants().map(ProcessHandle::pid))
        .containsExactly(launcher.pid());
  }

  @Test
  void aSandboxMadeInAdvanceForOtherOptionsIsNotTaken() {
    ProcessHandle keeper = open();
    long init = done(launcher.call(layout.create(), TIMEOUT));
    done(launcher.call(layout.exec(List.of("/bin/sleep", "600")), TIMEOUT));
    long spare = spare(keeper, init);
    SandboxLayout other =
        new SandboxLayout(
            SLOT,
            layout.rootfs(),
            layout.socketDirectory(),
            layout.hosts(),
            layout.uids(),
            ByteSize.ofMebibytes(16));

    done(launcher.call(LauncherCommand.destroy("s0"), TIMEOUT));
    assertThat(done(launcher.call(other.create(), TIMEOUT))).isNotEqualTo(spare);
    assertThat(ProcessHandle.of(spare)).isEmpty();
  }

  @Test
  void aSlotAtRestHasNoSandboxInAdvanceUntilTheNextCommand() {
    ProcessHandle keeper = open();
    done(launcher.call(LauncherCommand.rest("s0"), TIMEOUT));
    long init = done(launcher.call(layout.create(), TIMEOUT));
    done(launcher.call(layout.exec(List.of("/bin/sleep", "600")), TIMEOUT));
    long spare = spare(keeper, init);

    done(launcher.call(LauncherCommand.rest("s0"), TIMEOUT));

    assertThat(keeper.children().map(ProcessHandle::pid)).containsExactly(init);
    done(launcher.call(LauncherCommand.destroy("s0"), TIMEOUT));
    long next = done(launcher.call(layout.create(), TIMEOUT));
    assertThat(next).isNotEqualTo(spare);
    done(launcher.call(layout.exec(List.of("/bin/sleep", "600")), TIMEOUT));
    assertThat(spare(keeper, next)).isPositive();
    assertThat(events).isEmpty();
  }

  @Test
  void theEndOfASandboxMadeInAdvanceIsNobodysLoss() {
    ProcessHandle keeper = open();
    long init = done(launcher.call(layout.create(), TIMEOUT));
    done(launcher.call(layout.exec(List.of("/bin/sleep", "600")), TIMEOUT));
    ProcessHandle.of(spare(keeper, init)).orElseThrow().destroyForcibly();

    done(launcher.call(LauncherCommand.destroy("s0"), TIMEOUT));
    done(launcher.call(layout.create(), TIMEOUT));
    done(launcher.call(layout.exec(List.of("/bin/sleep", "600")), TIMEOUT));
    assertThat(events).isEmpty();
  }

  @Test
  void aKilledKeeperTakesBothItsSandboxesAlong() throws InterruptedException {
    ProcessHandle keeper = open();
    long init = done(launcher.call(layout.create(), TIMEOUT));
    done(launcher.call(layout.exec(List.of("/bin/sleep", "600")), TIMEOUT));
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
        layout.exec(List.of("/bin/echo", "x".repeat(120_000), "y".repeat(130_000)));
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

    assertThat(launcher.call(layout.exec(List.of("/bin/nothing")), TIMEOUT))
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
  void aLauncherThatDoesNotAnswerIsNotWaitedForForEver() throws Exception {
    done(openAndCreate());
    signal("STOP", launcher.pid());

    LaunchReport late = launcher.call(LauncherCommand.destroy("s0"), Duration.ofMillis(100));
    signal("CONT", launcher.pid());

    assertThat(late.describe()).isEqualTo("destroy s0: the launcher did not answer in PT0.1S");
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
      done(launcher.call(layout.exec(List.of("/bin/sleep", "600")), TIMEOUT));
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

  private static void signal(String signal, long pid) throws IOException, InterruptedException {
    new ProcessBuilder("kill", "-" + signal, Long.toString(pid)).start().waitFor();
  }

  private static long done(LaunchReport report) {
    assertThat(report).as(report.describe()).isInstanceOf(LaunchReport.Done.class);
    return requireNonNull((LaunchReport.Done) report).pid();
  }
}
