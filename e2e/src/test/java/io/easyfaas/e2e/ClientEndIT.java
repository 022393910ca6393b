package io.easyfaas.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// How clients end: those that have sent all get their answer, those that leave end their call,
/// whichever door they came through.
@EndToEnd
final class ClientEndIT {
  private static final Duration SOON = Duration.ofSeconds(10);

  @RegisterExtension private static final Leaks LEAKS = new Leaks();
  private static EngineProcess engine;

  @BeforeAll
  static void start() {
    engine = LEAKS.start("--container-num=2");
    engine.create(
        FunctionSpec.node(
                "takes-its-time",
                "exports.handler = () => new Promise((r) => setTimeout(r, 300, 'in its time'));")
            .withQuota(4));
    engine.create(
        FunctionSpec.node(
                "patient",
                """
                exports.handler = (event, { signal }) =>
                  new Promise((r) => signal.addEventListener('abort', () => r('left')));
                """)
            .withQuota(8)
            .withTimeout(300));
  }

  @Test
  void aClientThatHasSentAllGetsItsAnswerFromTheController() {
    try (RawClient client = RawClient.connect(engine.home().port())) {
      client.send(RawClient.invocation("takes-its-time", 2)).send("{}").endOutput();

      assertThat(client.read(SOON).text()).isEqualTo("in its time");
    }
  }

  @Test
  void aClientThatHasSentAllGetsItsAnswerFromTheTrigger() {
    try (RawClient client = RawClient.connect(engine.home().triggerPort())) {
      client.send(RawClient.request("takes-its-time", 2)).send("{}").endOutput();

      assertThat(client.read(SOON).text()).isEqualTo("in its time");
    }
  }

  @Test
  void pipelinedCallsOfAClientThatHasSentAllAreAnswered() {
    String call = RawClient.invocation("takes-its-time", 2) + "{}";
    try (RawClient client = RawClient.connect(engine.home().port())) {
      client.send(call + call + call).endOutput();

      for (int i = 0; i < 3; i++) {
        assertThat(client.read(SOON).text()).isEqualTo("in its time");
      }
    }
  }

  @Test
  void aClientThatLeavesTheTriggerEndsItsCall() {
    assertEndsCalls(engine.home().triggerPort(), RawClient.request("patient", 2) + "{}");
  }

  @Test
  void aClientThatLeavesTheControllerEndsItsCall() {
    assertEndsCalls(engine.home().port(), RawClient.invocation("patient", 2) + "{}");
  }

  private static void assertEndsCalls(int port, String call) {
    List<RawClient> clients =
        Stream.generate(() -> RawClient.connect(port).send(call)).limit(4).toList();
    Eventually.holds(SOON, () -> assertThat(inFlight()).isEqualTo(4));

    clients.forEach(RawClient::abort);

    Eventually.holds(SOON, () -> assertThat(inFlight()).isZero());
  }

  private static int inFlight() {
    return engine.slots().stream().mapToInt(slot -> slot.get("Concurrency").asInt()).sum();
  }
}
