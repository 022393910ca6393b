package io.easyfaas.funclet;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.json.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What a function sees and may do: one program looks around in a sandbox, each test judges one
/// thing it found.
@RequiresRoot
final class IsolationIT {
  private static final String LOOK_AROUND =
      """
      import ctypes, json, os, socket, stat, sys
      facts = {}
      libc = ctypes.CDLL(None, use_errno=True)

      def text(path):
          try:
              return open(path).read()
          except OSError as e:
              return "errno %d" % e.errno

      def attempt(name, action):
          try:
              action()
              facts[name] = "done"
          except OSError as e:
              facts[name] = os.strerror(e.errno)

      def call(name, number, *args):
          ctypes.set_errno(0)
          result = libc.syscall(ctypes.c_long(number), *args)
          facts[name] = "done" if result >= 0 else os.strerror(ctypes.get_errno())

      def write(path):
          with open(path, "w") as f:
              f.write("x")

      facts["status"] = text("/proc/self/status")
      facts["pid"] = os.getpid()
      facts["processes"] = sorted(int(p) for p in os.listdir("/proc") if p.isdigit())
      facts["interfaces"] = sorted(name for _, name in socket.if_nameindex())
      facts["mounts"] = text("/proc/self/mountinfo")
      facts["cgroup"] = text("/proc/self/cgroup")
      facts["environment"] = dict(os.environ)
      facts["hostname"] = socket.gethostname()
      facts["hosts"] = text("/etc/hosts")
      facts["sockets"] = text("/proc/net/unix").splitlines()[1:]
      facts["descriptors"] = sorted(
          int(fd) for fd in os.listdir("/proc/self/fd") if os.path.exists("/proc/self/fd/" + fd))
      facts["stdin"] = "%d:%d" % (os.major(os.fstat(0).st_rdev), os.minor(os.fstat(0).st_rdev))
      facts["ends"] = [os.readlink("/proc/self/fd/%d" % fd) for fd in (1, 2, 3)]
      facts["files"] = [
          os.path.join(top, name) for top, _, names in os.walk("/", followlinks=False)
          for name in names if not top.startswith("/proc")
          and stat.S_ISSOCK(os.lstat(os.path.join(top, name)).st_mode)]
      for path in ["/dev/stdout", "/dev/stderr", "/dev/fd/1", "/proc/self/fd/2"]:
          attempt("open " + path, lambda: open(path, "w").close())
      def says(path):
          try:
              return bool(os.listdir(path) if os.path.isdir(path) else open(path, "rb").read(64))
          except PermissionError:
              return False

      facts["proc"] = sorted(
          name for name in os.listdir("/proc")
          if not name.isdigit() and not os.path.islink("/proc/" + name) and says("/proc/" + name))
      facts["limits"] = text("/proc/self/limits")
      facts["secrets"] = {
          name: text("/proc/" + name)[:20] for name in
          ["kcore", "keys", "timer_list", "sched_debug", "latency_stats", "1/environ", "1/root"]}
      facts["cwd"] = os.getcwd()
      facts["tmp"] = oct(os.stat("/tmp").st_mode)
      attempt("writeCode", lambda: write("/var/task/main.py"))
      attempt("writeRuntime", lambda: write("/var/runtime/x"))
      attempt("writeRoot", lambda: write("/x"))
      attempt("writeUsr", lambda: write("/usr/x"))
      attempt("writeHosts", lambda: write("/etc/hosts"))
      attempt("writeSysctl", lambda: write("/proc/sys/kernel/hostname"))
      attempt("writeTmp", lambda: write("/tmp/x"))
      attempt("writeShm", lambda: write("/dev/shm/x"))
      attempt("setuid", lambda: os.setuid(0))
      attempt("hostAddress", lambda: socket.create_connection(("10.0.0.1", 1), 1))
      attempt("rawSocket", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
      attempt("packetSocket", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
      attempt("killInit", lambda: os.kill(1, 9))
      call("mount", 165, b"none", b"/tmp", b"tmpfs", 0, None)
      call("ptrace", 101, 0, 0, 0, 0)
      call("unshare", 272, 0x10000000)
      call("keyctl", 250, 0, 0, 0, 0, 0)
      call("bpf", 321, 0, None, 0)
      call("ioUring", 425, 1, None)
      call("userfaultfd", 323, 0)
      call("setns", 308, 0, 0)
      call("schedCore", 157, 62, 1, 0, 0, 0)
      call("seccomp", 317, 1, 0, None)
      call("prctlSeccomp", 157, 22, 2, None)
      for number, filter in enumerate(("filterSocket", "programSocket", "filterGroup", "programGroup")):
          option = (26, 50, 51, 52)[number]
          call(filter, 54, socket.socket().detach(), 1, option, None, 0)
      print(json.dumps(facts))
      """;

  @TempDir private static Path home;
  private static Map<String, Object> facts = new TreeMap<>();

  @BeforeAll
  static void lookAround() {
    Leaks leaks = new Leaks(home);
    try (TestEngine engine = TestEngine.start(home)) {
      // A file and a process of a neighbour must not be seen.
      try (Output _ = engine.warmup(TestEngine.C1, "import time\ntime.sleep(600)\n", 64)) {
        String output = engine.run(TestEngine.C0, LOOK_AROUND);
        @SuppressWarnings("unchecked")
        Map<String, Object> read = Json.CAMEL.read(output, Map.class);
        facts = read;
      }
    }
    leaks.assertNone();
  }

  @AfterAll
  static void forget() {
    facts = Map.of();
  }

  @Test
  void itIsAloneInItsPidNamespace() {
    assertThat(facts.get("processes")).isEqualTo(List.of(facts.get("pid")));
    assertThat((Integer) facts.get("pid")).isLessThan(10);
  }

  @Test
  void itHasOnlyTheLoopbackInterface() {
    assertThat(facts).containsEntry("interfaces", List.of("lo"));
    assertThat(fact("hostAddress")).isEqualTo("Network is unreachable");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"writeCode", "writeRuntime", "writeRoot", "writeUsr", "writeHosts", "writeSysctl"})
  void itCannotWrite(String what) {
    assertThat(fact(what)).isIn("Read-only file system", "Permission denied");
  }

  @Test
  void itCanWriteItsOwnTemporaryFiles() {
    assertThat(fact("writeTmp")).isEqualTo("done");
    assertThat(fact("writeShm")).isEqualTo("done");
    assertThat(fact("tmp")).isEqualTo("0o41777");
  }

  @Test
  void everyMountButTheTemporaryOnesIsReadOnly() {
    assertThat(fact("mounts").lines().filter(line -> line.split(" ")[5].startsWith("rw")))
        .allMatch(line ->
            List.of(
                    "/tmp",
                    "/dev/shm",
                    "/proc",
                    "/dev/null",
                    "/dev/zero",
                    "/dev/full",
                    "/dev/random",
                    "/dev/urandom")
                .contains(line.split(" ")[4]));
    assertThat(fact("mounts")).contains(" /var/task ").contains(" /var/runtime ");
  }

  @Test
  void fileSystemsAreFew() {
    // A superblock is dear, see adr/0007: the root, /usr, /var/runtime, /var/task, /proc, /tmp and
    // what everything else is of.
    assertThat(fact("mounts").lines().map(line -> line.split(" ")[2]).distinct()).hasSize(7);
  }

  @Test
  void itIsAnOrdinaryUserWithoutAnyPower() {
    assertThat(status("Uid")).isEqualTo("1001\t1001\t1001\t1001");
    assertThat(status("Gid")).isEqualTo("1001\t1001\t1001\t1001");
    assertThat(status("Groups")).isEmpty();
    for (String set : List.of("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")) {
      assertThat(status(set)).as(set).isEqualTo("0000000000000000");
    }
    assertThat(status("NoNewPrivs")).isEqualTo("1");
    assertThat(status("Seccomp")).isEqualTo("2");
    assertThat(fact("setuid")).isEqualTo("Operation not permitted");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "mount",
        "ptrace",
        "unshare",
        "keyctl",
        "bpf",
        "ioUring",
        "userfaultfd",
        "setns",
        "schedCore",
        "seccomp",
        "prctlSeccomp",
        "filterSocket",
        "programSocket",
        "filterGroup",
        "programGroup",
        "rawSocket",
        "killInit"
      })
  void itIsRefused(String what) {
    assertThat(fact(what)).isIn("Operation not permitted", "No such process");
  }

  @Test
  void itHasNoSocketsOfPackets() {
    assertThat(fact("packetSocket")).isEqualTo("Address family not supported by protocol");
  }

  @Test
  void itHasExactlyItsOwnEnds() {
    assertThat(facts).containsEntry("descriptors", List.of(0, 1, 2, 3));
    assertThat(fact("stdin")).as("device number of /dev/null").isEqualTo("1:3");
    assertThat(fact("ends")).matches("\\[pipe:\\[(\\d+)], pipe:\\[\\1], socket:\\[\\d+]]");
  }

  @Test
  void itSeesNoSocketOfTheEngine() {
    assertThat(facts.get("files")).as("sockets in the file system").isEqualTo(List.of());
  }

  @ParameterizedTest
  @ValueSource(strings = {"/dev/stdout", "/dev/stderr", "/dev/fd/1", "/proc/self/fd/2"})
  void itMayOpenItsOutputAnew(String path) {
    assertThat(fact("open " + path)).isEqualTo("done");
  }

  @Test
  void itsEnvironmentIsTheEnginesChoice() {
    assertThat(facts.get("environment"))
        .isEqualTo(
            Map.of(
                "PATH", "/usr/local/bin:/usr/bin:/bin",
                "HOME", "/tmp",
                "TMPDIR", "/tmp",
                "LANG", "C.UTF-8",
                "TZ", "UTC"));
    assertThat(fact("cwd")).isEqualTo("/");
  }

  @Test
  void itsNameIsTheContainersAndResolves() {
    assertThat(fact("hostname")).isEqualTo("it-controller-c0");
    assertThat(fact("hosts")).contains("127.0.0.1 it-controller-c0");
  }

  @Test
  void itSeesNoControlGroupOfTheHost() {
    assertThat(fact("cgroup").lines()).allMatch(line -> line.endsWith(":/"));
  }

  @Test
  void itSeesNoAbstractSocketOfTheHost() throws IOException {
    assertThat((List<?>) facts.get("sockets"))
        .noneMatch(line -> String.valueOf(line).contains("@"));
    assertThat(Files.readString(Path.of("/proc/net/unix"))).isNotEmpty();
  }

  @Test
  void itsResourceLimitsAreSet() {
    assertThat(fact("limits"))
        .containsPattern("Max open files\\s+4096\\s+4096")
        // With 0 the kernel still starts a program that handles core files, see core(5).
        .containsPattern("Max core file size\\s+1\\s+1");
  }

  @Test
  void ofTheMachineItIsToldWhatProgramsAskFor() {
    assertThat((List<?>) facts.get("proc"))
        .isEqualTo(
            List.of(
                "cpuinfo",
                "filesystems",
                "loadavg",
                "meminfo",
                "stat",
                "sys",
                "sysvipc",
                "uptime",
                "version"));
  }

  @Test
  void itsMountsNameNoDirectoryOfTheHost() {
    assertThat(fact("mounts")).contains(" / / ").doesNotContain(home.toString());
    assertThat(fact("mounts").lines().map(line -> line.split(" ")[3]))
        .allMatch(root ->
            root.matches("/(bin|lib|lib64|sbin|share|dev|shm|sys|directory|file|files/\\d+)?"));
  }

  @Test
  void nothingOfTheKernelOrOfPidOneCanBeRead() {
    assertThat((Map<?, ?>) facts.get("secrets"))
        .allSatisfy((_, text) -> assertThat(String.valueOf(text)).matches("|errno (1|2|13)"));
  }

  private static String fact(String name) {
    return String.valueOf(facts.get(name));
  }

  private static String status(String key) {
    return fact("status")
        .lines()
        .filter(line -> line.startsWith(key + ":"))
        .map(line -> line.substring(key.length() + 1).strip())
        .findFirst()
        .orElse("not there");
  }
}
