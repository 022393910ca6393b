package io.easyfaas.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import tools.jackson.databind.JsonNode;

/// What the engine prepares before anybody calls, and what it lets rest afterwards.
@EndToEnd
final class StandbyIT {
  private static final Duration SOON = Duration.ofSeconds(20);
  private static final String IDENTITY =
      """
      import socket

      def handler(event, context):
          return {"host": socket.gethostname(), "name": "%s"}
      """;

  @RegisterExtension private static final Leaks LEAKS = new Leaks();

  @Test
  void theSecondFunctionOfALanguageFindsAStartedRunner() {
    EngineProcess engine = LEAKS.start("--container-num=3", "--max-prewarmed=1");
    engine.create(FunctionSpec.python("first", IDENTITY.formatted("first")));
    engine.create(FunctionSpec.python("second", IDENTITY.formatted("second")));
    assertThat(engine.invoke("first", "{}").json().get("name").asString()).isEqualTo("first");
    awaitSlots(engine, "prewarmed", 1);
    String ready = prewarmed(engine);

    JsonNode second = engine.invoke("second", "{}").json();

    assertThat(second.get("name").asString()).isEqualTo("second");
    assertThat(second.get("host").asString()).isEqualTo(ready);
    awaitSlots(engine, "prewarmed", 1);
    assertThat(prewarmed(engine)).isNotEqualTo(ready);
  }

  @Test
  void theStandbyGivesWayToWhoNeedsTheRoom() {
    EngineProcess engine = LEAKS.start("--container-num=2", "--max-prewarmed=1");
    engine.create(FunctionSpec.python("first", IDENTITY.formatted("first")));
    engine.create(FunctionSpec.node("other", "exports.handler = async () => 'other';"));
    engine.call("first", "{}");
    awaitSlots(engine, "prewarmed", 1);

    assertThat(engine.call("other", "{}")).isEqualTo("other");
  }

  @Test
  void aFunctionThatNobodyCallsUsesNoProcessorTimeUntilTheNextCall() {
    EngineProcess engine = LEAKS.start("--container-num=1", "--freeze-after=100ms");
    engine.create(
        FunctionSpec.node(
            "spinner",
            """
            setInterval(() => { for (let i = 0; i < 1e6; i++); }, 0);
            exports.handler = async () => 'spins';
            """));
    assertThat(engine.call("spinner", "{}")).isEqualTo("spins");

    for (int round = 0; round < 3; round++) {
      awaitSlots(engine, "frozen", 1);
      Eventually.holds(SOON, () -> assertThat(usedInAWhile(engine)).isZero());
      Duration asleep = cpuTime(engine);

      assertThat(engine.call("spinner", "{}")).isEqualTo("spins");
      Eventually.holds(SOON, () -> assertThat(cpuTime(engine)).isGreaterThan(asleep));
    }
  }

  private static Duration usedInAWhile(EngineProcess engine) {
    Duration before = cpuTime(engine);
    LockSupport.parkNanos(200_000_000);
    return cpuTime(engine).minus(before);
  }

  /// Of everything in the sandbox.
  private static Duration cpuTime(EngineProcess engine) {
    return engine
        .handle()
        .descendants()
        .map(process -> process.info().totalCpuDuration().orElse(Duration.ZERO))
        .reduce(Duration.ZERO, Duration::plus);
  }

  private static void awaitSlots(EngineProcess engine, String state, int count) {
    Eventually.holds(
        SOON,
        () ->
            assertThat(engine.send(engine.controller("/metrics").GET()).text())
                .contains("easyfaas_slots{state=\"" + state + "\"} " + count + ".0"));
  }

  /// The host name of the slot that the log says was prewarmed last.
  private static String prewarmed(EngineProcess engine) {
    List<String> moves =
        engine.log().lines().filter(line -> line.contains("prewarming→prewarmed")).toList();
    return moves.getLast().replaceFirst(".*slot=(\\S+) .*", "$1");
  }
}
