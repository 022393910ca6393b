package io.easyfaas.funclet.launch;

import static io.easyfaas.funclet.launch.LauncherFixture.PROGRAM;
import static io.easyfaas.funclet.launch.LauncherFixture.TIMEOUT;
import static io.easyfaas.funclet.launch.LauncherFixture.done;
import static io.easyfaas.funclet.launch.LauncherFixture.signal;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.easyfaas.funclet.RequiresRoot;
import io.easyfaas.funclet.mount.SandboxLayout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Keepers, inits and kernels that do not do what is expected of them: what one slot has of it is
/// told, and no other slot is touched.
@RequiresRoot
final class LauncherFaultsIT {
  /// Writes bytes, in hexadecimal digits, to another process's descriptor 3.
  private static final String SPEAK_AS =
      """
      import ctypes, os, sys
      pidfd_getfd = 438
      pid = os.pidfd_open(int(sys.argv[1]))
      socket = ctypes.CDLL(None).syscall(pidfd_getfd, pid, 3, 0)
      words = bytes.fromhex(sys.argv[2])
      sys.exit(0 if os.write(socket, words) == len(words) else 1)
      """;

  /// Traces a process and never looks at it: it cannot end.
  private static final String TRACE =
      """
      import ctypes, sys, time
      PTRACE_SEIZE = 0x4206
      print(ctypes.CDLL(None).ptrace(PTRACE_SEIZE, int(sys.argv[1]), 0, 0), flush=True)
      time.sleep(600)
      """;

  /// Mounts a file system that answers nothing.
  private static final String MOUNT_SILENT =
      """
      import ctypes, os, sys, time
      device = os.open("/dev/fuse", os.O_RDWR)
      options = b"fd=%d,rootmode=40000,user_id=0,group_id=0" % device
      print(ctypes.CDLL(None).mount(b"fuse", sys.argv[1].encode(), b"fuse", 0, options), flush=True)
      time.sleep(600)
      """;

  /// Runs a command where no memory file may be executed, keeps hold of the launcher's program
  /// beyond its end, as an escape would, and says what comes of opening that for writing.
  private static final String WITHOUT_MEMORY_FILES =
      """
      import errno, os, subprocess, sys
      open("/proc/sys/vm/memfd_noexec", "w").write("2")
      launcher = [sys.argv[1], "run", "--rootfs", sys.argv[2], "--bind-ro", "/usr", "/usr"]
      launcher += ["--uid-map", "1879048192", "2048", "--"]
      print(subprocess.run(launcher + ["/bin/true"]).returncode)
      run = subprocess.Popen(launcher + ["/bin/sleep", "600"])
      while os.readlink("/proc/%d/exe" % run.pid) != "/easyfaas-launcher":
          pass
      program = os.open("/proc/%d/exe" % run.pid, os.O_PATH)
      run.kill()
      run.wait()
      try:
          os.open("/proc/self/fd/%d" % program, os.O_WRONLY)
          print("written to")
      except OSError as e:
          print(errno.errorcode[e.errno])
      """;

  @TempDir private Path home;
  private final BlockingQueue<LauncherEvent> events = new LinkedBlockingQueue<>();
  private final List<Process> started = new ArrayList<>();
  private LauncherProcess launcher;
  private SandboxLayout layout;

  @BeforeEach
  void start() throws IOException {
    layout = LauncherFixture.layout(home);
    launcher = LauncherProcess.start(PROGRAM, home.resolve("launcher.sock"), events::add);
  }

  @AfterEach
  void end() throws InterruptedException {
    for (Process process : started) {
      process.destroyForcibly().waitFor();
    }
    launcher.close();
    assertThat(ProcessHandle.current().descendants()).isEmpty();
  }

  /// Length, flags (1: answer, 2: last word) and init of a note, then its text, see keeper.h.
  @ParameterizedTest
  @ValueSource(
      strings = {
        "000000000100000000000000", // An answer to nothing.
        "030000000200000000000000" + "7b7d0a", // A last word to nothing.
        "030000000300000000000000" + "7b7d0a",
        "ffffff000000000000000000", // A text of 16 MiB.
      })
  void aKeeperThatSpeaksOutOfTurnEndsAlone(String words) throws Exception {
    open("s1");

    speakAs(open("s0"), words);

    assertThat(events.poll(20, TimeUnit.SECONDS)).isEqualTo(new LauncherEvent.Gone("s0"));
    done(launcher.call(LauncherCommand.close("s1"), TIMEOUT));
    open("s0");
    done(launcher.call(layout.create(), TIMEOUT));
  }

  /// Kind and status of a reply, see sandbox.h; its failure is left empty.
  @ParameterizedTest
  @ValueSource(
      strings = {
        "63000000", // No reply at all.
        "00000000", // Namespaced: a reply to something else.
        "02000000", // Done, without a command that was started.
      })
  void aWordThatInitMustNotSayIsNoSuccess(String kind) throws Exception {
    long keeper = open("s0");
    long init = done(launcher.call(layout.create(), TIMEOUT));
    signal("STOP", init);
    String idle = systemCall(keeper);
    Launcher.Pending exec = launcher.send(layout.exec(List.of("/bin/sleep", "600"), null));
    awaitSystemCallAfter(keeper, idle);

    speakAs(init, kind + "00".repeat(4 + 4 + 24 + 256));

    assertThat(exec.await(TIMEOUT).describe()).isEqualTo("exec: EPROTO");
    assertThat(events.poll(20, TimeUnit.SECONDS)).isEqualTo(new LauncherEvent.Gone("s0"));
    done(launcher.call(layout.create(), TIMEOUT));
  }

  @Test
  void aSlotWhoseKeeperHasJustEndedIsOpenedAgain() throws Exception {
    for (int round = 0; round < 50; round++) {
      signal("KILL", open("s0"));

      open("s0");

      assertThat(events.poll()).isEqualTo(new LauncherEvent.Gone("s0"));
      done(launcher.call(LauncherCommand.close("s0"), TIMEOUT));
    }
  }

  @Test
  void aSlotThatIsOpenStaysSo() {
    long keeper = open("s0");

    assertThat(launcher.call(LauncherCommand.open("s0", List.of(), null), TIMEOUT).describe())
        .isEqualTo("slot: EEXIST");

    done(launcher.call(layout.create(), TIMEOUT));
    assertThat(ProcessHandle.of(keeper)).isPresent();
  }

  @Test
  void aSandboxThatWasBeingMadeIsDeadWhenItsKeepersEndIsTold() throws Exception {
    for (int round = 0; round < 50; round++) {
      long keeper = open("s0");
      Launcher.Pending create = launcher.send(layout.create());
      long init = awaitChild(keeper);

      ProcessHandle.of(keeper).orElseThrow().destroyForcibly();

      assertThat(events.poll(20, TimeUnit.SECONDS)).isEqualTo(new LauncherEvent.Gone("s0"));
      assertThat(Path.of("/proc", Long.toString(init))).doesNotExist();
      assertThat(create.await(TIMEOUT)).isNotNull();
    }
  }

  @Test
  void whatDoesNotDieIsToldAndItsEndLater() throws Exception {
    open("s0");
    done(launcher.call(layout.create(), TIMEOUT));
    long command = done(launcher.call(layout.exec(List.of("/bin/sleep", "600"), null), TIMEOUT));
    Process tracer = python(TRACE, Long.toString(command));
    assertThat(tracer.inputReader().readLine()).isEqualTo("0");

    assertThat(launcher.call(LauncherCommand.destroy("s0"), TIMEOUT).describe())
        .isEqualTo("destroy: ETIMEDOUT");
    assertThat(launcher.call(layout.create(), TIMEOUT).describe()).isEqualTo("sandbox: EEXIST");
    assertThat(launcher.call(layout.exec(List.of("/bin/true"), null), TIMEOUT).describe())
        .isEqualTo("sandbox: ENOENT");
    tracer.destroyForcibly();

    assertThat(events.poll(20, TimeUnit.SECONDS)).isEqualTo(new LauncherEvent.Gone("s0"));
    done(launcher.call(layout.create(), TIMEOUT));
    done(launcher.call(LauncherCommand.close("s0"), TIMEOUT));
  }

  @Test
  void aFileSystemThatDoesNotAnswerIsNotWaitedFor() throws Exception {
    assumeThat(Path.of("/dev/fuse")).as("FUSE").exists();
    open("s0");
    done(launcher.call(layout.create(), TIMEOUT));
    Path silent = Files.createDirectory(home.resolve("silent"));
    Process server = python(MOUNT_SILENT, silent.toString());
    assumeThat(server.inputReader().readLine()).as("a mount of FUSE").isEqualTo("0");
    try {
      assertThat(launcher.call(layout.mountCode(silent.resolve("code")), TIMEOUT).describe())
          .isEqualTo("mount: ETIMEDOUT");
      done(launcher.call(LauncherCommand.close("s0"), TIMEOUT));
    } finally {
      new ProcessBuilder("umount", "--lazy", silent.toString()).start().waitFor();
    }
  }

  @Test
  void whereNoMemoryFileMayBeExecutedItsCopyIsStillOutOfReach() throws Exception {
    assumeThat(Path.of("/proc/sys/vm/memfd_noexec")).as("since Linux 6.3").exists();
    Process run =
        start(
            "unshare",
            "--pid",
            "--fork",
            "--mount-proc",
            "python3",
            "-c",
            WITHOUT_MEMORY_FILES,
            PROGRAM.toString(),
            home.resolve("rootfs").toString());

    assertThat(run.inputReader().lines()).containsExactly("0", "EROFS");
  }

  private long open(String slot) {
    return done(launcher.call(LauncherCommand.open(slot, List.of(), null), TIMEOUT));
  }

  private void speakAs(long pid, String words) throws Exception {
    assertThat(python(SPEAK_AS, Long.toString(pid), words).waitFor()).isZero();
  }

  private Process python(String program, String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of("python3", "-c", program));
    command.addAll(Arrays.asList(arguments));
    return start(command.toArray(String[]::new));
  }

  private Process start(String... command) throws IOException {
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    started.add(process);
    return process;
  }

  /// The number of the system call that a process waits in, see proc_pid_syscall(5).
  private static String systemCall(long pid) throws IOException {
    return Files.readString(Path.of("/proc", Long.toString(pid), "syscall")).split("\\s")[0];
  }

  private static void awaitSystemCallAfter(long pid, String last) throws IOException {
    long deadline = System.nanoTime() + TIMEOUT.toNanos();
    while (List.of(last, "running").contains(systemCall(pid)) && System.nanoTime() < deadline) {
      LockSupport.parkNanos(1_000_000);
    }
  }

  private static long awaitChild(long pid) throws IOException {
    Path children = Path.of("/proc/" + pid + "/task/" + pid + "/children");
    long deadline = System.nanoTime() + TIMEOUT.toNanos();
    while (System.nanoTime() < deadline) {
      Optional<String> child = Arrays.stream(Files.readString(children).split(" ")).findFirst();
      if (child.filter(text -> !text.isBlank()).isPresent()) {
        return Long.parseLong(child.get());
      }
    }
    throw new AssertionError("process " + pid + " has made no child");
  }
}
