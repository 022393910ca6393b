package io.easyfaas.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// Clients that hold connections and let the engine wait, and more of them than it has descriptors.
@EndToEnd
final class ConnectionFloodIT {
  private static final int CONNECTIONS = 10_000; // The test and the engine may have 20,000 files.
  private static final int ASKING = 4_000;
  private static final int PAGES = 20;
  private static final int ALL = 320; // Of 256, with 512 descriptors.
  private static final int STAYING = 200;
  private static final String HEALTH = "GET /healthz HTTP/1.1\r\nHost: engine\r\n\r\n";
  private static final int PIPELINED_BYTES = 65_536; // What one read takes.
  private static final int LARGE_BYTES = 512 * 1024;
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  // The engine's own deadlines for a head and a body are shorter.
  private static final Duration LONGEST = Duration.ofSeconds(60);

  @RegisterExtension private static final Leaks LEAKS = new Leaks();

  @Test
  void tenThousandHeadsThatDoNotEnd() {
    EngineProcess engine = LEAKS.startShipped("--container-num=4");
    engine.create(FunctionSpec.node("asked-late", "exports.handler = async () => 'in time';"));
    String most = "GET / HTTP/1.1\r\nHost: engine\r\nX-Long: " + "h".repeat(15 << 10);

    new Siege(engine, Innocent.modest(engine), Innocent.browser(engine))
        .survives(clients -> {
          for (int i = 0; i < CONNECTIONS; i++) {
            connect(engine.home().port(), most, clients);
          }
          Siege.hold();
          assertThat(engine.call("asked-late", "{}")).isEqualTo("in time");
        });
  }

  @Test
  void tenThousandBodiesThatDribble() {
    EngineProcess engine = LEAKS.startShipped("--container-num=4");
    engine.create(FunctionSpec.node("asked-late", "exports.handler = async () => 'in time';"));
    String most = RawClient.invocation("asked-late", 8000) + "b";

    new Siege(engine, Innocent.modest(engine), Innocent.browser(engine))
        .survives(clients -> {
          for (int i = 0; i < CONNECTIONS; i++) {
            connect(engine.home().port(), most, clients);
            if (i % 1000 == 999) {
              assertThat(health(engine)).isEqualTo("hello controller");
            }
          }
          Siege.hold();
          assertThat(health(engine)).isEqualTo("hello controller");
          assertThat(engine.call("asked-late", "{}")).isEqualTo("in time");
        });
  }

  @Test
  void moreConnectionsThanTheEngineHasDescriptors() {
    EngineProcess engine = startWithFewDescriptors();
    EngineHome home = engine.home();
    engine.create(FunctionSpec.python("exits", "import os\ndef handler(e, c):\n  os._exit(1)"));
    engine.create(FunctionSpec.python("late", "def handler(event, context):\n  return 'late'"));

    new Siege(engine, Innocent.modest(engine))
        .survives(clients -> {
          try (RawClient early = RawClient.connect(home.port())) {
            early.send(HEALTH);
            assertThat(early.read(PATIENCE).status())
                .isEqualTo(200); // Who has asked keeps its place.
            for (int i = 0; i < 1000; i++) {
              connect(home.port(), "GET / HTTP/1.1\r\n", clients);
            }
            Siege.hold();

            // New sandboxes, runners and their code need descriptors.
            for (int i = 0; i < 5; i++) {
              RawClient.Reply exited = early.send(RawClient.invocation("exits", 0)).read(PATIENCE);
              assertThat(exited.text()).describedAs("%s", exited).contains("Process exited");
            }
            RawClient.Reply reply = early.send(RawClient.invocation("late", 0)).read(PATIENCE);
            assertThat(reply.text()).describedAs("%s", reply).isEqualTo("late");
          }
        });

    assertThat(engine.log()).doesNotContain("→closed");
  }

  @Test
  void connectionsThatAskNowAndThen() {
    EngineProcess engine = startWithFewDescriptors();
    // More often than a connection would count as idle, and sooner than one makes way.
    Duration pause = Duration.ofMillis(650);
    Duration moment = Duration.ofMillis(40);

    new Siege(engine, Innocent.newcomer(engine), Innocent.modest(engine))
        .survives(clients -> {
          connectAll(engine, HEALTH, clients);
          for (int i = 0; i < 10; i++) {
            clients.removeIf(client -> !isSent(client, HEALTH.substring(0, 20)));
            LockSupport.parkNanos(moment.toNanos());
            clients.removeIf(client -> !isSent(client, HEALTH.substring(20)));
            LockSupport.parkNanos(pause.toNanos());
          }
          assertThat(clients).hasSizeGreaterThan(STAYING);
        });
  }

  @Test
  void callsThatLastOnAllConnections() {
    EngineProcess engine = startWithFewDescriptors();
    engine.create(
        FunctionSpec.node(
                "lasts", "exports.handler = () => new Promise((end) => setTimeout(end, 10_000));")
            .withTimeout(30)
            .withQuota(1000));

    new Siege(engine, Innocent.newcomer(engine), Innocent.modest(engine))
        .survives(clients -> {
          connectAll(engine, RawClient.invocation("lasts", 0), clients);
          Siege.hold();
          Siege.hold();
        });
  }

  @Test
  void callsThatAreSentBeforeTheOneInFrontIsAnswered() {
    EngineProcess engine = LEAKS.startShipped("--container-num=4");
    engine.create(
        FunctionSpec.node(
            "slow", "exports.handler = () => new Promise((end) => setTimeout(end, 20_000));"));
    String shortest = "GET / HTTP/1.1\r\nHost:\r\n\r\n";
    String calls =
        RawClient.invocation("slow", 0) + shortest.repeat(PIPELINED_BYTES / shortest.length());
    engine.create(FunctionSpec.node("quick", "exports.handler = async () => 'quick';"));
    // After it the engine reads as much as there is from this connection.
    String large =
        RawClient.invocation("quick", LARGE_BYTES) + '"' + "l".repeat(LARGE_BYTES - 2) + '"';

    new Siege(engine, Innocent.modest(engine), Innocent.browser(engine))
        .survives(clients -> {
          for (int i = 0; i < 600; i++) {
            RawClient client = RawClient.connect(engine.home().port());
            clients.add(client);
            assertThat(client.send(large).read(PATIENCE).text()).isEqualTo("quick");
          }
          clients.forEach(client -> client.send(calls));
          Siege.hold();
        });
  }

  @Test
  void pagesThatAreAskedForAndNotRead() {
    EngineProcess engine = LEAKS.startShipped("--container-num=4");
    engine.create(FunctionSpec.node("asked-late", "exports.handler = async () => 'in time';"));
    String questions = "GET /metrics HTTP/1.1\r\nHost: engine\r\n\r\n".repeat(PAGES);

    new Siege(engine, Innocent.modest(engine), Innocent.browser(engine))
        .survives(clients -> {
          for (int i = 0; i < ASKING; i++) {
            connect(engine.home().port(), questions, clients);
          }
          assertThat(engine.call("asked-late", "{}")).isEqualTo("in time");
          Siege.hold();
        });
  }

  @Test
  void clientsThatSendAByteNowAndThenAreClosed() {
    EngineProcess engine = LEAKS.startShipped("--container-num=2");
    engine.create(FunctionSpec.node("any", "exports.handler = async () => 1;"));
    List<RawClient> clients =
        List.of(
            RawClient.connect(engine.home().port()).send("GET / HTTP/1.1\r\nX-Slow: "),
            RawClient.connect(engine.home().triggerPort()).send("GET / HTTP/1.1\r\nX-Slow: "),
            RawClient.connect(engine.home().registryPort()).send("GET / HTTP/1.1\r\nX-Slow: "),
            RawClient.connect(engine.home().port()).send(RawClient.invocation("any", 10_000)),
            RawClient.connect(engine.home().triggerPort()).send(RawClient.request("any", 10_000)));
    long end = System.nanoTime() + LONGEST.toNanos();
    List<RawClient> open = new ArrayList<>(clients);
    while (!open.isEmpty() && System.nanoTime() < end) {
      open.removeIf(client -> isClosedAfterAByte(client));
    }

    assertThat(open).describedAs("slow connections that are open after %s", LONGEST).isEmpty();
    clients.forEach(RawClient::close);
  }

  @Test
  void aSandboxThatConnectsToWhateverItFinds() {
    EngineProcess engine = LEAKS.startShipped("--container-num=4");
    Shell tenant = Shell.create(engine, Shell.python("connects"));
    String code =
        """
        found = []
        for directory, _, files in os.walk("/"):
            if directory.startswith(("/proc", "/usr")):
                continue
            for name in files:
                path = os.path.join(directory, name)
                if stat.S_ISSOCK(os.lstat(path).st_mode):
                    found.append(path)
        # They may have names that cannot be listed.
        found += ["/run/easyfaas/runner.sock", "/run/easyfaas/output.sock"]
        connected = 0
        end = time.monotonic() + 4
        while time.monotonic() < end:
            for path in found:
                client = socket.socket(socket.AF_UNIX)
                client.setblocking(False)
                connected += attempt(lambda: client.connect(path)) is None
                client.close()
        return connected
        """;

    new Siege(engine, Innocent.modest(engine), Innocent.browser(engine))
        .survives(() -> assertThat(tenant.run(code).asInt()).isZero());
  }

  /// So that it takes few connections to have all there may be.
  private static EngineProcess startWithFewDescriptors() {
    EngineHome home = LEAKS.home();
    List<String> command = new ArrayList<>(List.of("sh", "-c", "ulimit -n 512; exec \"$@\"", "sh"));
    command.addAll(Installation.shipped(home.arguments("--container-num=4")));
    EngineProcess engine = home.run(command);
    engine.awaitReady();
    return engine;
  }

  private static void connectAll(EngineProcess engine, String start, List<RawClient> clients) {
    for (int i = 0; i < ALL; i++) {
      connect(engine.home().port(), start, clients);
    }
  }

  private static boolean isSent(RawClient client, String text) {
    try {
      client.send(text);
      return true;
    } catch (UncheckedIOException _) {
      client.close();
      return false;
    }
  }

  private static String health(EngineProcess engine) {
    try (RawClient client = RawClient.connect(engine.home().port())) {
      return client.send(HEALTH).read(PATIENCE).text();
    }
  }

  private static boolean isClosedAfterAByte(RawClient client) {
    try {
      return client.send("s").isClosedWithin(Duration.ofMillis(100));
    } catch (UncheckedIOException _) {
      return true;
    }
  }

  private static void connect(int port, String start, List<RawClient> clients) {
    try {
      RawClient client = RawClient.connect(port);
      clients.add(client);
      client.send(start);
    } catch (UncheckedIOException _) {
      // The engine takes no more of them.
    }
  }
}
