package io.easyfaas.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// Functions look around in their sandbox and try to get out of it. What they see is theirs alone,
/// and what they try is refused.
@EndToEnd
final class IsolationIT {
  @RegisterExtension private static final Leaks LEAKS = new Leaks();
  private static EngineProcess engine;
  private static Shell python;
  private static Shell node;

  @BeforeAll
  static void start() {
    engine = LEAKS.start("--container-num=2");
    python = Shell.create(engine, Shell.python("python-shell"));
    node = Shell.create(engine, Shell.node("node-shell"));
  }

  // Processes.

  @Test
  void theRunnerIsTheChildOfTheSandboxesOwnInit() {
    assertThat(python.run("return os.getppid()").asInt()).isEqualTo(1);
    assertThat(node.run("return process.ppid").asInt()).isEqualTo(1);
  }

  @Test
  void onlyItsOwnProcessesAreVisible() {
    JsonNode inPython =
        python.run("return [[int(p) for p in os.listdir('/proc') if p.isdigit()], os.getpid()]");
    JsonNode inNode =
        node.run(
            """
            const pids = require('fs').readdirSync('/proc').filter((name) => /^\\d+$/.test(name));
            return [pids.map(Number), process.pid];
            """);

    assertThat(inPython.at("/0").toString()).isEqualTo("[" + inPython.at("/1") + "]");
    assertThat(inNode.at("/0").toString()).isEqualTo("[" + inNode.at("/1") + "]");
  }

  @Test
  void everyNamespaceIsItsOwn() {
    List<String> kinds = List.of("mnt", "pid", "net", "ipc", "uts", "user", "cgroup");

    JsonNode inPython =
        python.run(
            "return {n: os.readlink('/proc/self/ns/' + n) for n in os.listdir('/proc/self/ns')}");
    JsonNode inNode =
        node.run(
            """
            const fs = require('fs');
            const names = fs.readdirSync('/proc/self/ns');
            return Object.fromEntries(names.map((n) => [n, fs.readlinkSync('/proc/self/ns/' + n)]));
            """);

    for (String kind : kinds) {
      List<String> seen = new ArrayList<>();
      seen.add(inPython.get(kind).asString());
      seen.add(inNode.get(kind).asString());
      seen.add(link(Path.of("/proc/self/ns", kind)));
      assertThat(seen).describedAs("%s namespaces", kind).doesNotHaveDuplicates();
    }
  }

  @Test
  void initCanNeitherBeReadNorSignalled() {
    JsonNode seen =
        python.run(
            """
            names = ("environ", "maps", "mem", "root", "cwd", "exe", "fd", "status", "stat")
            return [attempt(lambda: os.stat("/proc/1/" + name)) for name in names] + [
                attempt(lambda: os.kill(1, 0)), attempt(lambda: os.kill(1, signal.SIGKILL)),
                syscall("ptrace", 16, 1, 0, 0)]
            """);

    assertThat(seen.values()).extracting(JsonNode::asString).containsOnly("ENOENT", "EPERM");
  }

  @Test
  void aSignalToEverybodyReachesOnlyItsOwn() {
    Answer answer = python.attempt("os.kill(-1, signal.SIGKILL)\nreturn 1");

    assertThat(answer.status()).isEqualTo(200);
    assertThat(node.run("return 1").asInt()).isEqualTo(1);
    assertThat(python.run("return 1").asInt()).isEqualTo(1);
  }

  // Identity.

  @Test
  void noIdInsideIsRoot() {
    JsonNode inPython = python.run("return [*os.getresuid(), *os.getresgid(), *os.getgroups()]");
    JsonNode inNode =
        node.run(
            "return [process.getuid(), process.geteuid(), process.getgid(), ...process.getgroups()]");

    assertThat(inPython.values()).extracting(JsonNode::asInt).doesNotContain(0);
    assertThat(inNode.values()).extracting(JsonNode::asInt).doesNotContain(0);
  }

  @Test
  void noTwoSlotsShareAnIdOnTheHost() {
    String[] one = python.run("return read('/proc/self/uid_map')").asString().strip().split("\\s+");
    String[] two =
        node.run("return require('fs').readFileSync('/proc/self/uid_map', 'utf8')")
            .asString()
            .strip()
            .split("\\s+");
    long firstBase = Long.parseLong(one[1]);
    long secondBase = Long.parseLong(two[1]);
    long count = Long.parseLong(one[2]);

    assertThat(firstBase).isGreaterThan(65_535);
    assertThat(secondBase).isGreaterThan(65_535);
    assertThat(Math.abs(firstBase - secondBase)).isGreaterThanOrEqualTo(count);
  }

  @Test
  void rootCannotBeBecome() {
    JsonNode seen =
        python.run(
            """
            return [attempt(lambda: os.setuid(0)), attempt(lambda: os.setgid(0)),
                    attempt(lambda: os.setgroups([0])), attempt(lambda: os.chown("/tmp", 0, 0))]
            """);

    assertThat(seen.values()).extracting(JsonNode::asString).containsOnly("EPERM");
  }

  @ParameterizedTest
  @CsvSource({
    "CapInh, 0000000000000000",
    "CapPrm, 0000000000000000",
    "CapEff, 0000000000000000",
    "CapBnd, 0000000000000000",
    "CapAmb, 0000000000000000",
    "NoNewPrivs, 1",
    "Seccomp, 2"
  })
  void everyPrivilegeIsDropped(String line, String value) {
    String inPython = python.run("return read('/proc/self/status')").asString();
    String inNode =
        node.run("return require('fs').readFileSync('/proc/self/status', 'utf8')").asString();

    assertThat(inPython).containsPattern("(?m)^" + line + ":\\s+" + value + "$");
    assertThat(inNode).containsPattern("(?m)^" + line + ":\\s+" + value + "$");
  }

  // System calls.

  @ParameterizedTest
  @ValueSource(
      strings = {
        "'mount', b'none', b'/tmp', b'tmpfs', 0, None",
        "'umount2', b'/tmp', 0",
        "'pivot_root', b'/tmp', b'/tmp'",
        "'open_tree', -100, b'/', 1",
        "'fsopen', b'tmpfs', 0",
        "'mount_setattr', -100, b'/', 0, None, 0",
        "'unshare', 0x10000000",
        "'unshare', 0x00020000",
        "'setns', 0, 0",
        "'ptrace', 0, 0, 0, 0",
        "'process_vm_readv', 1, None, 0, None, 0, 0",
        "'pidfd_getfd', 0, 0, 0",
        "'bpf', 0, None, 0",
        "'perf_event_open', None, 0, -1, -1, 0",
        "'keyctl', 0, -3, 1, 0, 0",
        "'add_key', b'user', b'trace', b'x', 1, -3",
        "'request_key', b'user', b'trace', None, 0",
        "'userfaultfd', 0",
        "'io_uring_setup', 8, None",
        "'kexec_load', 0, 0, None, 0",
        "'init_module', None, 0, b''",
        "'delete_module', b'none', 0",
        "'reboot', 0, 0, 0, None",
        "'swapon', b'/tmp', 0",
        "'acct', None",
        "'syslog', 3, None, 0",
        "'sethostname', b'mine', 4",
        "'settimeofday', None, None",
        "'open_by_handle_at', -100, None, 0",
        "'mknodat', -100, b'/tmp/disk', 0o60666, 0x0800"
      })
  void theSystemCallIsRefused(String call) {
    assertThat(python.run("return syscall(" + call + ")").asString()).isEqualTo("EPERM");
  }

  @Test
  void noNewUserNamespaceCanBeMadeByCloning() {
    String code =
        """
        child = syscall("clone", 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0)
        if child == 0:
            os._exit(0)
        return child
        """;

    assertThat(python.run(code).asString()).isEqualTo("EPERM");
    assertThat(python.run("return syscall('clone3', None, 0)").asString()).isEqualTo("ENOSYS");
  }

  @ParameterizedTest
  @CsvSource({
    "socket.AF_VSOCK, socket.SOCK_STREAM, 0, EAFNOSUPPORT",
    "socket.AF_PACKET, socket.SOCK_RAW, 0, EAFNOSUPPORT",
    "socket.AF_ALG, socket.SOCK_SEQPACKET, 0, EAFNOSUPPORT",
    "socket.AF_NETLINK, socket.SOCK_RAW, 12, EPROTONOSUPPORT",
    "socket.AF_INET, socket.SOCK_STREAM, 262, EPROTONOSUPPORT",
    "socket.AF_INET, socket.SOCK_RAW, 1, EPERM"
  })
  void theSocketIsRefused(String family, String type, String protocol, String error) {
    String code =
        "return attempt(lambda: str(socket.socket(%s, %s, %s)))".formatted(family, type, protocol);

    assertThat(python.run(code).asString()).isEqualTo(error);
  }

  @Test
  void aProcessOfItsOwnCanBeStarted() {
    assertThat(
            python
                .run(
                    "import subprocess\nreturn subprocess.check_output(['/usr/bin/id', '-u']).decode()")
                .asString()
                .strip())
        .isEqualTo(python.run("return os.getuid()").asString());
    assertThat(
            node.run("return require('child_process').execSync('echo hi').toString()").asString())
        .isEqualTo("hi\n");
  }

  @Test
  void aSetUserIdProgramGivesNothing() {
    String effective =
        python
            .run(
                """
                import subprocess, shutil
                tool = shutil.which("su") or shutil.which("mount") or "/usr/bin/id"
                return subprocess.run(
                    ["/bin/sh", "-c", "grep CapEff /proc/self/status; exec " + tool + " --version"],
                    capture_output=True).stdout.decode()
                """)
            .asString();

    assertThat(effective).contains("0000000000000000");
  }

  // Files.

  @Test
  void theCodeIsReadOnly() {
    JsonNode inPython =
        python.run(
            """
            return [attempt(lambda: open("/var/task/new", "w")),
                    attempt(lambda: os.unlink("/var/task/index.py")),
                    attempt(lambda: os.chmod("/var/task", 0o777)),
                    "EROFS" if os.statvfs("/var/task").f_flag & os.ST_RDONLY else "writable"]
            """);
    JsonNode inNode =
        node.run(
            """
            try { require('fs').writeFileSync('/var/task/new', 'x'); } catch (e) { return e.code; }
            """);

    assertThat(inPython.values()).extracting(JsonNode::asString).containsOnly("EROFS");
    assertThat(inNode.asString()).isEqualTo("EROFS");
  }

  @Test
  void nothingButTheTemporaryPlacesIsWritable() {
    JsonNode writable =
        python.run(
            """
            found = []
            for line in read("/proc/self/mountinfo").splitlines():
                point = line.split()[4]
                if not os.path.isdir(point) or point == "/proc":
                    continue
                if not os.statvfs(point).f_flag & os.ST_RDONLY:
                    found.append(point)
            return sorted(found)
            """);

    assertThat(writable.toString()).isEqualTo("[\"/dev/shm\",\"/tmp\"]");
  }

  @Test
  void noMountGivesPrivileges() {
    JsonNode privileged =
        python.run(
            """
            return [line for line in read("/proc/self/mountinfo").splitlines()
                    if "nosuid" not in line.split()[5].split(",")]
            """);

    assertThat(privileged.size()).describedAs("%s", privileged).isZero();
  }

  @Test
  void noFileOfTheHostIsThere() {
    List<String> places =
        List.of(
            "/root",
            "/home",
            "/etc/shadow",
            "/etc/passwd-",
            "/etc/ssh",
            "/boot",
            "/var/log",
            "/var/lib",
            "/work",
            "/run/systemd",
            "/sys/fs",
            "/sys/kernel",
            "/usr/local",
            "/usr/etc",
            "/usr/src",
            "/usr/include",
            "/proc/fs",
            "/proc/bus",
            "/proc/driver",
            engine.home().directory().toString(),
            engine.home().dataDirectory().toString(),
            Installation.home().toString());

    JsonNode seen =
        python.run(
            "return [p for p in "
                + Answer.write(places)
                + " if os.path.exists(p) and (not os.path.isdir(p) or os.listdir(p))]");

    assertThat(seen.toString()).isEqualTo("[]");
  }

  @Test
  void theOldRootCannotBeReached() {
    JsonNode seen =
        python.run(
            """
            inside = os.stat("/").st_ino
            ways = ["/..", "/proc/self/root/..", "/proc/self/cwd/../../..", "/../../../.."]
            return [os.stat(way).st_ino == inside for way in ways]
            """);

    assertThat(seen.toString()).isEqualTo("[true,true,true,true]");
  }

  @Test
  void dangerousPlacesInProcAreMaskedOrReadOnly() {
    JsonNode masked =
        python.run(
            """
            def content(name):
                with open("/proc/" + name, "rb") as file:
                    return len(file.read(4096))
            names = ["kcore", "kallsyms", "sysrq-trigger", "timer_list", "keys", "kmsg",
                     "cmdline", "diskstats", "partitions", "locks", "modules", "softirqs"]
            return {n: attempt(lambda: content(n)) for n in names if os.path.exists("/proc/" + n)}
            """);
    JsonNode readOnly = python.run("return bool(os.statvfs('/proc/sys').f_flag & os.ST_RDONLY)");

    assertThat(masked.values())
        .extracting(JsonNode::asString)
        .describedAs("%s", masked)
        .isSubsetOf("0", "EACCES", "EPERM");
    assertThat(readOnly.asBoolean()).isTrue();
    assertThat(
            python
                .run("return attempt(lambda: open('/proc/sys/kernel/core_pattern', 'w'))")
                .asString())
        .isEqualTo("EROFS");
  }

  @Test
  void devIsMinimal() {
    assertThat(python.run("return sorted(os.listdir('/dev'))").toString())
        .isEqualTo(
            "[\"fd\",\"full\",\"null\",\"random\",\"shm\",\"stderr\",\"stdin\",\"stdout\","
                + "\"urandom\",\"zero\"]");
  }

  @Test
  void sysIsEmpty() {
    assertThat(python.run("return os.listdir('/sys') if os.path.exists('/sys') else []").size())
        .isZero();
  }

  // Network.

  @Test
  void thereIsNoNetworkButItsOwnLoopback() {
    JsonNode devices =
        python.run(
            "return [l.split(':')[0].strip() for l in read('/proc/net/dev').splitlines()[2:]]");
    JsonNode routes = python.run("return read('/proc/net/route').splitlines()[1:]");
    JsonNode inNode = node.run("return Object.keys(require('os').networkInterfaces())");

    assertThat(devices.toString()).isEqualTo("[\"lo\"]");
    assertThat(routes.size()).isZero();
    assertThat(inNode.toString()).isEqualTo("[\"lo\"]");
  }

  @Test
  void neitherTheEngineNorTheWorldCanBeReached() {
    String code =
        """
        def connect(address):
            with socket.socket() as client:
                client.settimeout(2)
                client.connect(address)
                return "connected"
        return [attempt(lambda: connect(("127.0.0.1", %d))), attempt(lambda: connect(("1.1.1.1", 53)))]
        """
            .formatted(engine.home().port());

    assertThat(python.run(code).toString()).isEqualTo("[\"ECONNREFUSED\",\"ENETUNREACH\"]");
  }

  @Test
  void abstractSocketsOfTheHostAndOfOthersAreNotThere() {
    JsonNode sockets =
        python.run(
            "return [l.split()[7] for l in read('/proc/net/unix').splitlines()[1:] if len(l.split()) > 7]");

    assertThat(sockets.values())
        .extracting(JsonNode::asString)
        .allSatisfy(path -> assertThat(path).doesNotStartWith("@"));
  }

  // The engine.

  @Test
  void noSocketIsThere() {
    JsonNode sockets =
        python.run(
            """
            found = []
            for directory, _, files in os.walk("/"):
                if directory.startswith(("/proc", "/usr")):
                    continue
                for name in files:
                    path = os.path.join(directory, name)
                    if stat.S_ISSOCK(os.lstat(path).st_mode):
                        found.append(path)
            return found
            """);

    assertThat(sockets.values()).isEmpty();
  }

  @Test
  void garbageOnTheEnginesConnectionHarmsOnlyTheFunctionItself() {
    Answer answer =
        python.attempt(
            """
            for descriptor in range(3, 64):
                try:
                    if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                        os.write(descriptor, b"\\xff" * 4096)
                except OSError:
                    pass
            time.sleep(5)
            """);

    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.isFailed()).describedAs("%s", answer).isTrue();
    assertThat(node.run("return 1").asInt()).isEqualTo(1);
    assertThat(python.run("return 1").asInt()).isEqualTo(1);
  }

  @Test
  void descriptorsAreItsOwn() {
    String inPython =
        python
            .run(
                """
                found = []
                for name in os.listdir("/proc/self/fd"):
                    try:
                        found.append(os.readlink("/proc/self/fd/" + name))
                    except FileNotFoundError:
                        pass
                return found
                """)
            .toString();
    String inNode =
        node.run(
                """
                const fs = require('fs');
                return fs.readdirSync('/proc/self/fd').flatMap((name) => {
                  try { return [fs.readlinkSync('/proc/self/fd/' + name)]; } catch { return []; }
                });
                """)
            .toString();

    for (String seen : List.of(inPython, inNode)) {
      assertThat(Answer.json(seen).values())
          .extracting(JsonNode::asString)
          .allMatch(target ->
              target.matches(
                  "(socket|pipe):.*|anon_inode:.*|(/dev)?/null|/dev/urandom|/proc/\\d+/fd"));
    }
  }

  @Test
  void theHostNameIsTheContainersId() {
    List<String> ids =
        engine.slots().stream().map(slot -> slot.get("RuntimeID").asString()).toList();

    assertThat(python.run("return socket.gethostname()").asString()).isIn(ids);
    assertThat(node.run("return require('os').hostname()").asString()).isIn(ids);
  }

  @Test
  void theEnvironmentHasNothingOfTheHost() {
    JsonNode inPython = python.run("return dict(os.environ)");
    JsonNode inNode = node.run("return process.env");
    String atStart = python.run("return read('/proc/self/environ')").asString();

    for (JsonNode environment : List.of(inPython, inNode)) {
      assertThat(environment.propertyNames())
          .allMatch(name ->
              name.matches(
                  "EASYFAAS_FUNCTION_.*|BCE_USER_.*|PATH|HOME|TMPDIR|LANG|LC_.*|TZ|PWD"
                      + "|SHLVL|_|PYTHON.*|NODE_.*"));
      assertThat(environment.get("HOME").asString()).isEqualTo("/tmp");
    }
    assertThat(atStart).doesNotContain(EngineHome.SECRET_VARIABLE).doesNotContain("LAUNCHER");
  }

  @Test
  void theControlGroupIsNotVisible() {
    assertThat(python.run("return read('/proc/self/cgroup')").asString())
        .doesNotContain("easyfaas")
        .doesNotContain("..");
  }

  // Hostile code packages.

  @Test
  void aPathThatLeavesTheCodeDirectoryIsRefused() {
    for (String path : List.of("../evil.js", "a/../../evil.js", "/evil.js", "..\\evil.js")) {
      Answer answer =
          engine.tryCreate(
              FunctionSpec.node("slip", "")
                  .withCode(new Zip().file("index.js", "1").file(path, "evil")));

      assertThat(answer.status()).describedAs("%s: %s", path, answer).isEqualTo(400);
      assertThat(answer.json().get("Cause").asString()).contains("evil.js").contains("expected");
    }
    assertThat(python.run("return 1").asInt()).isEqualTo(1);
  }

  @Test
  void aLinkThatLeavesTheCodeDirectoryIsRefused() {
    for (String target : List.of("/etc/passwd", "../../../../etc/passwd", "/proc/1/root")) {
      Answer answer =
          engine.tryCreate(
              FunctionSpec.node("link", "")
                  .withCode(
                      new Zip()
                          .file("index.js", "exports.handler = async () => 'unpacked';")
                          .link("way-out", target)));

      assertThat(answer.status()).describedAs("%s: %s", target, answer).isEqualTo(400);
      assertThat(answer.json().get("Cause").asString()).contains("way-out").contains("expected");
    }
    assertThat(node.run("return 1").asInt()).isEqualTo(1);
  }

  // Attacks on resources.

  @Test
  void aForkBombEndsWithAnErrorAndOthersGoOn() {
    Shell bomb = Shell.create(engine, Shell.python("fork-bomb").withMemory(512));

    Answer answer =
        bomb.attempt(
            """
            while True:
                if os.fork() == 0:
                    time.sleep(600)
            """);

    assertThat(answer.isFailed()).describedAs("%s", answer).isTrue();
    assertThat(answer.json().get("errorType").asString()).isEqualTo("BlockingIOError");
    assertThat(node.run("return 1").asInt()).isEqualTo(1);
  }

  @Test
  void aForkBombOfWhichAllPartsBombEndsWithAnError() {
    Shell bomb = Shell.create(engine, Shell.python("fork-bomb-2").withTimeout(3));

    Answer answer = bomb.attempt("while True:\n    attempt(os.fork)");

    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.isFailed()).describedAs("%s", answer).isTrue();
    assertThat(node.run("return 1").asInt()).isEqualTo(1);
    assertThat(bomb.run("return 1").asInt()).isEqualTo(1);
  }

  @Test
  void descriptorsAreLimited() {
    Answer answer =
        python.attempt(
            """
            hoard = []
            while True:
                hoard.append(open("/dev/null"))
            """);

    assertThat(answer.isFailed()).describedAs("%s", answer).isTrue();
    assertThat(answer.text()).contains("Too many open files");
    assertThat(python.run("return 1").asInt()).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/tmp", "/dev/shm"})
  void temporaryPlacesAreLimited(String place) {
    Shell writer = Shell.create(engine, Shell.python("writer"));

    Answer answer =
        writer.attempt(
            """
            with open("%s/fill", "wb") as file:
                while True:
                    file.write(bytes(1 << 20))
            """
                .formatted(place));

    assertThat(answer.isFailed()).describedAs("%s", answer).isTrue();
    assertThat(answer.text()).contains("No space left on device");
    assertThat(python.run("return 1").asInt()).isEqualTo(1);
  }

  @Test
  void emptyFilesAreLimited() {
    Shell writer = Shell.create(engine, Shell.python("inode-writer"));

    Answer answer =
        writer.attempt(
            """
            for n in range(10_000_000):
                os.close(os.open(f"/tmp/{n}", os.O_CREAT | os.O_WRONLY))
            """);

    assertThat(answer.isFailed()).describedAs("%s", answer).isTrue();
    assertThat(answer.text()).contains("No space left on device");
  }

  @Test
  void memoryIsLimited() {
    Shell hog = Shell.create(engine, Shell.python("memory-hog"));

    Answer answer = hog.attempt("return len(bytearray(1 << 30).replace(b'\\0', b'1'))");

    assertThat(answer.isFailed()).describedAs("%s", answer).isTrue();
    assertThat(answer.json().get("errorType").asString()).isEqualTo("Runtime.OutOfMemory");
    assertThat(hog.run("return 1").asInt()).isEqualTo(1);
  }

  @Test
  void socketBuffersAreLimited() {
    JsonNode kept =
        python.run(
            """
            import socket
            def fill(pairs):
                listener = socket.create_server(('127.0.0.1', 0), backlog=64)
                kept, ends = 0, []
                for _ in range(pairs):
                    end = socket.create_connection(listener.getsockname())
                    ends += [end, listener.accept()[0]]
                for end in ends:
                    end.setblocking(False)
                for end in ends:
                    try:
                        while True:
                            kept += end.send(bytes(1 << 16))
                    except OSError:
                        pass
                return kept
            read, write = os.pipe()
            children = []
            for _ in range(8):
                child = os.fork()
                if child == 0:
                    os.write(write, (str(fill(400)) + chr(10)).encode())
                    time.sleep(60)
                children.append(child)
            os.close(write)
            lines = os.fdopen(read)
            kept = [int(lines.readline()) for _ in children]
            for child in children:
                os.kill(child, 9)
                os.waitpid(child, 0)
            return kept
            """);

    long bytes = kept.valueStream().mapToLong(JsonNode::asLong).sum();
    assertThat(bytes).describedAs("sent and not read: %s", kept).isLessThan(192 << 20);
  }

  @Test
  void whatNobodyAcceptsIsLimited() {
    JsonNode kept =
        python.run(
            """
            import socket
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 30)
            listener.bind(('127.0.0.1', 0))
            listener.listen(4096)
            kept = 0
            for _ in range(400):
                client = socket.socket()
                client.setblocking(False)
                try:
                    client.connect_ex(listener.getsockname())
                    while True:
                        kept += client.send(bytes(1 << 16))
                except OSError:
                    pass
                client.close()
            return kept
            """);

    assertThat(kept.asLong()).describedAs("bytes in connections that wait").isLessThan(16 << 20);
  }

  @Test
  void queuesOfErrorsAndTimeStampsStayEmpty() {
    JsonNode kept =
        python.run(
            """
            import socket, struct
            ERRORS, TIMES, SENT = (0, 11), (1, 37), struct.pack('I', 1 << 1)
            def queued(option=None, ancillary=()):
                udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                if option:
                    udp.setsockopt(*option, 2)
                for _ in range(100):
                    try:
                        udp.sendmsg([bytes(1000)], ancillary, 0, ('127.0.0.1', 9))
                    except ConnectionRefusedError:
                        pass
                try:
                    return len(udp.recvmsg(2000, 1000, socket.MSG_ERRQUEUE)[0])
                except BlockingIOError:
                    return 0
            return [queued(ERRORS), queued(TIMES), queued((1, 65)), queued(None, [(*TIMES, SENT)])]
            """);

    assertThat(kept.valueStream().map(JsonNode::asInt)).containsExactly(0, 0, 0, 0);
  }

  @Test
  void allThreadsOfASandboxWeighTheSame() {
    JsonNode weighed =
        python.run(
            """
            os.nice(7)
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
            os.sched_setscheduler(0, os.SCHED_IDLE | 0x40000000, os.sched_param(0))
            return [os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0)]
            """);

    assertThat(weighed.toString()).describedAs("nice value, policy").isEqualTo("[0,0]");
  }

  @Test
  void orphansAreReaped() {
    JsonNode made =
        python.run(
            """
            for _ in range(1000):
                child = os.fork()
                if child == 0:
                    if os.fork() == 0:
                        os._exit(0)
                    os._exit(0)
                os.waitpid(child, 0)
            return 1000
            """);

    assertThat(made.asInt()).describedAs("more than there may be at once").isEqualTo(1000);
  }

  @Test
  void aFloodOfZombiesEndsWithAnErrorAndOthersGoOn() {
    Shell flood = Shell.create(engine, Shell.python("zombies"));

    Answer answer =
        flood.attempt(
            """
            while True:
                if os.fork() == 0:
                    os._exit(0)
            """);

    assertThat(answer.isFailed()).describedAs("%s", answer).isTrue();
    assertThat(answer.json().get("errorType").asString()).isEqualTo("BlockingIOError");
    assertThat(node.run("return 1").asInt()).isEqualTo(1);
  }

  @Test
  void aFloodOfOutputIsBounded() {
    Shell chatty = Shell.create(engine, Shell.python("chatty"));

    Answer answer =
        engine.invoke(
            chatty.name(),
            Shell.event(
                """
                for n in range(200):
                    print("x" * 65536)
                os.write(1, b"raw" * 100_000)
                return "done"
                """),
            "Log-Type",
            "Tail");

    assertThat(answer.json().get("answer").asString()).isEqualTo("done");
    assertThat(answer.log().length()).isLessThan(8192);
  }

  @Test
  void variablesOfTheUserCannotReplaceTheEngines() {
    engine.create(
        FunctionSpec.node(
                "impostor", "exports.handler = async () => process.env.EASYFAAS_FUNCTION_NAME;")
            .withVariables(Map.of("EASYFAAS_FUNCTION_NAME", "somebody")));

    assertThat(engine.call("impostor", "{}")).isEqualTo("impostor");
  }

  private static String link(Path path) {
    try {
      return Files.readSymbolicLink(path).toString();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
