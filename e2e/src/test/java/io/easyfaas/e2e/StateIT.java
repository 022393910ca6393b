package io.easyfaas.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import tools.jackson.databind.JsonNode;

/// Two functions take turns in the only slot, so each call of one resets the sandbox of the other.
/// Nothing of the former tenant can be observed by the next.
@EndToEnd
final class StateIT {
  @RegisterExtension private static final Leaks LEAKS = new Leaks();
  private static EngineProcess engine;
  private static Shell former;
  private static Shell next;

  @BeforeAll
  static void start() {
    engine = LEAKS.start("--container-num=1");
    former = Shell.create(engine, Shell.python("former"));
    next = Shell.create(engine, Shell.python("next"));
  }

  @BeforeEach
  void theNextTenantIsIn() {
    // So that the former one starts in a new sandbox, too.
    next.run("state['trace'] = 1");
  }

  @Test
  void filesAreGone() {
    former.run(
        """
        for place in ("/tmp", "/dev/shm"):
            os.makedirs(place + "/trace/deep")
            with open(place + "/trace/deep/file", "w") as file:
                file.write("of the former")
            os.symlink("/tmp/trace", place + "/link")
        """);

    JsonNode seen = next.run("return [os.listdir('/tmp'), os.listdir('/dev/shm')]");

    assertThat(seen.toString()).isEqualTo("[[],[]]");
  }

  @Test
  void theSpaceOfFilesIsGivenBack() {
    String fill =
        """
        with open("/tmp/fill", "wb") as file:
            written = 0
            try:
                while True:
                    written += file.write(bytes(1 << 20))
                    file.flush()
            except OSError:
                return written >> 20
        """;

    int first = former.run(fill).asInt();
    int second = next.run(fill).asInt();

    assertThat(first).isPositive();
    assertThat(second).isEqualTo(first);
  }

  @Test
  void systemVipcIsGone() {
    JsonNode made =
        former.run(
            """
            create = 0o1666
            return [syscall("shmget", 4711, 4096, create), syscall("semget", 4711, 1, create)]
            """);

    JsonNode seen =
        next.run(
            """
            return [syscall("shmget", 4711, 0, 0), syscall("semget", 4711, 0, 0)]
            """);

    assertThat(made.values()).allSatisfy(id -> assertThat(id.isInt()).isTrue());
    assertThat(seen.toString()).isEqualTo("[\"ENOENT\",\"ENOENT\"]");
  }

  @Test
  void thereAreNoMessageQueues() {
    JsonNode made =
        former.run(
            """
            return [syscall("msgget", 4711, 0o1666),
                    syscall("mq_open", b"trace", os.O_CREAT | os.O_RDWR, 0o666, None)]
            """);

    assertThat(made.toString()).isEqualTo("[\"ENOSYS\",\"ENOSYS\"]");
  }

  @Test
  void processesAndTheirSocketsAreGone() {
    JsonNode made =
        former.run(
            """
            ready, tell = os.pipe()
            if os.fork() == 0:
                os.setsid()
                if os.fork() > 0:
                    os._exit(0)
                named = socket.socket(socket.AF_UNIX)
                named.bind("\\0trace")
                named.listen()
                port = socket.socket()
                port.bind(("127.0.0.1", 4711))
                port.listen()
                udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                udp.bind(("127.0.0.1", 4711))
                os.write(tell, b"1")
                while True:
                    time.sleep(60)
            os.read(ready, 1)
            socket.create_connection(("127.0.0.1", 4711)).close()
            return len([p for p in os.listdir("/proc") if p.isdigit()])
            """);

    JsonNode seen =
        next.run(
            """
            def connect(family, address):
                with socket.socket(family) as client:
                    client.connect(address)
                    return "connected"
            return [
                len([p for p in os.listdir("/proc") if p.isdigit()]),
                attempt(lambda: connect(socket.AF_UNIX, "\\0trace")),
                attempt(lambda: connect(socket.AF_INET, ("127.0.0.1", 4711))),
                "trace" in read("/proc/net/unix"),
                len(read("/proc/net/udp").splitlines()) - 1,
            ]
            """);

    assertThat(made.asInt()).isGreaterThan(1);
    assertThat(seen.toString()).isEqualTo("[1,\"ECONNREFUSED\",\"ECONNREFUSED\",false,0]");
  }

  @Test
  void connectionsAreForgotten() {
    int made =
        former
            .run(
                """
                server = socket.create_server(("127.0.0.1", 0))
                for _ in range(3):
                    client = socket.create_connection(server.getsockname())
                    peer, _ = server.accept()
                    peer.close()
                    client.close()
                return len(read("/proc/net/tcp").splitlines()) - 1
                """)
            .asInt();

    int seen = next.run("return len(read('/proc/net/tcp').splitlines()) - 1").asInt();

    assertThat(made).isPositive();
    assertThat(seen).isZero();
  }

  @Test
  void networkCountersStartAgain() {
    String count =
        """
        lines = [line.split() for line in read("/proc/net/dev").splitlines()]
        return next(int(line[1]) for line in lines if line[0] == "lo:")
        """;
    former.run(
        """
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
            receiver.bind(("127.0.0.1", 0))
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(bytes(1000), receiver.getsockname())
        """);

    assertThat(former.run(count).asLong()).isPositive();
    assertThat(next.run(count).asLong()).isZero();
  }

  @Test
  void theEnvironmentIsItsOwn() {
    former.run("os.environ['TRACE'] = 'of the former'");

    assertThat(next.run("return 'TRACE' in os.environ").asBoolean()).isFalse();
  }

  @Test
  void globalsAreItsOwn() {
    former.run("state['trace'] = 'of the former'");

    assertThat(next.run("return list(state)").size()).isZero();
  }

  @Test
  void codeIsItsOwn() {
    engine.create(
        FunctionSpec.node(
            "other", "exports.handler = async () => require('fs').readdirSync('/var/task');"));

    assertThat(engine.call("other", "{}")).isEqualTo("[\"index.js\"]");
    assertThat(next.run("return os.listdir('/var/task')").toString()).isEqualTo("[\"index.py\"]");
  }

  @Test
  void theSameFunctionStartsAfreshAfterAnother() {
    former.run("state['count'] = 1");
    next.run("return 1");

    assertThat(former.run("return list(state)").size()).isZero();
  }
}
