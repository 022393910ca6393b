package io.easyfaas.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Stopping while there is something to do: under load, before the start is over, and in the middle
/// of the demo.
@EndToEnd
final class StopIT {
  private static final Duration STOPPED = Duration.ofSeconds(20);
  private static final Duration SOON = Duration.ofSeconds(10);
  private static final Duration DEMO = Duration.ofSeconds(60);
  private static final int ROUNDS = 8;

  @RegisterExtension private static final Leaks LEAKS = new Leaks();

  @Test
  void callsInFlightEndWellAndNewOnesAreSentAway() {
    EngineProcess engine = LEAKS.start("--container-num=2");
    engine.create(
        FunctionSpec.node(
                "busy",
                "exports.handler = () => new Promise((r) => setTimeout(r, 1500, 'served'));")
            .withQuota(100)
            .withTimeout(30));
    assertThat(engine.call("busy", "{}")).isEqualTo("served");
    String direct = RawClient.invocation("busy", 2) + "{}";
    String triggered = RawClient.request("busy", 2) + "{}";
    Deque<RawClient> fresh = idle(engine.home().port());
    Deque<RawClient> freshAtTrigger = idle(engine.home().triggerPort());
    List<RawClient> calls =
        Stream.concat(
                Stream.generate(() -> fresh.remove().send(direct)).limit(10),
                Stream.generate(() -> freshAtTrigger.remove().send(triggered)).limit(10))
            .toList();
    Eventually.isTrue(
        "calls are in flight",
        SOON,
        () -> engine.slots().stream().anyMatch(slot -> slot.get("Concurrency").asInt() == 20));

    engine.terminate();

    assertSentAway(fresh, direct);
    assertSentAway(freshAtTrigger, triggered);
    assertThat(calls).allSatisfy(call -> assertThat(call.read(SOON).text()).isEqualTo("served"));
    int _ = engine.awaitEnd(STOPPED);
    LEAKS.assertNothingLeft(engine);
  }

  @Test
  void callsThatTakeLongerThanTheEngineWaitsAreToldSo() {
    EngineProcess engine = LEAKS.start("--container-num=2");
    engine.create(
        FunctionSpec.node("long", "exports.handler = () => new Promise(() => {});")
            .withQuota(100)
            .withTimeout(60));
    RawClient direct =
        RawClient.connect(engine.home().port()).send(RawClient.invocation("long", 2) + "{}");
    RawClient triggered =
        RawClient.connect(engine.home().triggerPort()).send(RawClient.request("long", 2) + "{}");
    Eventually.isTrue(
        "calls are in flight",
        SOON,
        () -> engine.slots().stream().mapToInt(slot -> slot.get("Concurrency").asInt()).sum() == 2);

    engine.terminate();

    for (RawClient client : List.of(direct, triggered)) {
      RawClient.Reply reply = client.read(STOPPED);
      assertThat(reply.status()).describedAs("%s", reply).isEqualTo(503);
      assertThat(reply.header("Connection")).hasValue("close");
    }
    int _ = engine.awaitEnd(STOPPED);
    LEAKS.assertNothingLeft(engine);
  }

  @Test
  void anEngineThatIsStoppedWhileItStartsLeavesNothing() {
    Random random = seeded();
    Set<String> before = Footprint.engineGroups();
    for (int round = 0; round < ROUNDS; round++) {
      EngineHome home = LEAKS.home();
      EngineProcess engine = home.run(Installation.shipped(home.arguments("--container-num=4")));
      int lines = random.nextInt(11); // As many as a start has.
      Eventually.isTrue("the start goes on", SOON, () -> engine.log().lines().count() >= lines);

      engine.terminate();

      int _ = engine.awaitEnd(STOPPED);
      LEAKS.assertNothingLeft(engine);
      assertThat(Footprint.engineGroups())
          .describedAs("control groups after round %d; the log:\n%s", round, engine.log())
          .isSubsetOf(before);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"INT", "TERM"})
  void aDemoThatIsInterruptedLeavesNothing(String signal) throws IOException, InterruptedException {
    Random random = seeded();
    Set<String> before = Footprint.engineGroups();
    Path temporary = Files.createTempDirectory("d"); // Short, as paths of sockets must be.
    long started = System.nanoTime();
    assertThat(startDemo(temporary).awaitEnd(DEMO)).isZero();
    int millis = (int) ((System.nanoTime() - started) / 1_000_000);
    for (int round = 0; round < ROUNDS / 2; round++) {
      EngineProcess demo = startDemo(temporary);
      TimeUnit.MILLISECONDS.sleep(random.nextInt(millis));

      demo.signal(signal);

      int _ = demo.awaitEnd(STOPPED);
      LEAKS.assertNothingLeft(demo);
      assertThat(Footprint.engineGroups())
          .describedAs("control groups after round %d; what it said:\n%s", round, demo.log())
          .isSubsetOf(before);
      assertThat(temporary)
          .describedAs("what is left after round %d; what it said:\n%s", round, demo.log())
          .isEmptyDirectory();
    }
    Files.delete(temporary);
  }

  private static EngineProcess startDemo(Path temporary) {
    EngineHome home = LEAKS.home();
    Map<String, String> environment = new HashMap<>(home.environment());
    environment.put("EASYFAAS_JAVA_FLAGS", "-Djava.io.tmpdir=" + temporary);
    return home.run(Installation.shipped(List.of("demo")), environment);
  }

  /// Connections on which one call was answered, so that their next one needs no new connection.
  private static Deque<RawClient> idle(int port) {
    Deque<RawClient> clients = new ArrayDeque<>();
    for (int i = 0; i < 40; i++) {
      RawClient client = RawClient.connect(port);
      client.send("GET /healthz HTTP/1.1\r\nHost: engine\r\n\r\n");
      assertThat(client.read(SOON).status()).isEqualTo(200);
      clients.add(client);
    }
    return clients;
  }

  /// Calls that come a moment after the signal may still be taken; soon none is.
  private static void assertSentAway(Deque<RawClient> fresh, String call) {
    List<RawClient> taken = new ArrayList<>();
    Eventually.holds(
        Duration.ofSeconds(1),
        () -> {
          RawClient client = fresh.remove();
          taken.add(client.send(call));
          RawClient.Reply reply =
              client
                  .readWithin(Duration.ofMillis(200))
                  .orElseThrow(() -> new AssertionError("a call while the engine stops"));
          assertThat(reply.status()).describedAs("%s", reply).isEqualTo(503);
          assertThat(reply.header("Connection")).describedAs("%s", reply).contains("close");
          assertThat(client.isClosedWithin(SOON)).isTrue();
        });
    taken.removeLast();
    assertThat(taken)
        .allSatisfy(client -> assertThat(client.read(SOON).text()).isEqualTo("served"));
  }

  private static Random seeded() {
    long seed = Long.getLong("easyfaas.seed", System.nanoTime());
    System.out.println("easyfaas.seed=" + seed);
    return new Random(seed);
  }
}
