package io.easyfaas.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// Many calls at once: in one sandbox where the function allows it, else in several, else in line.
@EndToEnd
final class ConcurrencyIT {
  private static final Duration SOON = Duration.ofSeconds(10);

  @RegisterExtension private static final Leaks LEAKS = new Leaks();
  private static EngineProcess engine;

  @BeforeAll
  static void start() {
    engine = LEAKS.start("--container-num=2", "--max-queue-wait=2s");
  }

  @Test
  void tenCallsShareOneSandboxInNode() {
    engine.create(
        FunctionSpec.node(
                "together-js",
                """
                const here = require('crypto').randomUUID();
                const waiting = [];
                exports.handler = () => new Promise((resolve) => {
                  waiting.push(resolve);
                  if (waiting.length === 10) waiting.splice(0).forEach((each) => each(here));
                });
                """)
            .withQuota(10)
            .withTimeout(20));

    assertThat(texts(calls("together-js", 10)).stream().distinct()).hasSize(1);
  }

  @Test
  void tenCallsShareOneSandboxInPython() {
    engine.create(
        FunctionSpec.python(
                "together-py",
                """
                import threading, uuid
                here = str(uuid.uuid4())
                barrier = threading.Barrier(10)

                def handler(event, context):
                    barrier.wait(15)
                    return here
                """)
            .withQuota(10)
            .withTimeout(20));

    assertThat(texts(calls("together-py", 10)).stream().distinct()).hasSize(1);
  }

  @Test
  void withoutAQuotaASandboxHasOneCallAtATime() {
    engine.create(
        FunctionSpec.node(
                "alone",
                """
                let inside = 0;
                let most = 0;
                exports.handler = async () => {
                  most = Math.max(most, ++inside);
                  await new Promise((resolve) => setTimeout(resolve, 20));
                  inside--;
                  return String(most);
                };
                """)
            .withTimeout(20));

    assertThat(texts(calls("alone", 12))).hasSize(12).containsOnly("1");
  }

  @Test
  void eachCallsLogHasItsOwnLinesOnlyInNode() {
    engine.create(
        FunctionSpec.node(
                "loggers-js",
                """
                let here = 0;
                let go;
                const all = new Promise((resolve) => { go = resolve; });
                exports.handler = async (event) => {
                  console.log(`<${event.n}> first`);
                  if (++here === 10) go();
                  await all;
                  for (let i = 0; i < 5; i++) {
                    await new Promise((resolve) => setImmediate(resolve));
                    console.error(`<${event.n}> again`);
                  }
                };
                """)
            .withQuota(10)
            .withTimeout(20));

    assertLogsAreSeparate("loggers-js");
  }

  @Test
  void eachCallsLogHasItsOwnLinesOnlyInPython() {
    engine.create(
        FunctionSpec.python(
                "loggers-py",
                """
                import sys, threading
                barrier = threading.Barrier(10)

                def handler(event, context):
                    print(f"<{event['n']}> first")
                    barrier.wait(15)
                    for _ in range(5):
                        print(f"<{event['n']}> again", file=sys.stderr)
                """)
            .withQuota(10)
            .withTimeout(20));

    assertLogsAreSeparate("loggers-py");
  }

  @Test
  void aHerdOfFirstCallsIsServedByTheSlotsThereAre() {
    engine.create(
        FunctionSpec.node(
                "herd",
                """
                const here = require('crypto').randomUUID();
                exports.handler = async () => here;
                """)
            .withQuota(10)
            .withTimeout(20));

    List<String> answers = texts(calls("herd", 60));

    assertThat(answers).hasSize(60);
    assertThat(answers.stream().distinct().count()).isBetween(1L, 2L);
  }

  @Test
  void aCallWaitsForASlotThatBecomesFreeInTime() {
    engine.create(
        FunctionSpec.node(
                "short",
                "exports.handler = () => new Promise((r) => setTimeout(r, 100, 'served'));")
            .withTimeout(20));

    assertThat(texts(calls("short", 8))).hasSize(8).containsOnly("served");
  }

  @Test
  void aCallThatWaitedTooLongIsToldToTryAgain() {
    engine.create(
        FunctionSpec.node(
                "long",
                "exports.handler = () => new Promise((r) => setTimeout(r, 6000, 'served'));")
            .withTimeout(20));
    List<CompletableFuture<Answer>> holders = calls("long", 2);
    Eventually.isTrue(
        "both slots are busy",
        SOON,
        () -> engine.slots().stream().allMatch(slot -> slot.get("Concurrency").asInt() == 1));

    Answer refused = engine.invoke("long", "{}");

    assertThat(refused.status()).isEqualTo(429);
    assertThat(refused.header("Retry-After")).get().asString().matches("[1-9]\\d*");
    assertThat(refused.json().get("Code").asString()).isEqualTo("TooManyRequestsException");
    assertThat(refused.json().at("/Backtrace/0/Message").asString()).isNotBlank();
    assertThat(texts(holders)).containsOnly("served");
  }

  @Test
  void noFunctionStarvesAnother() {
    engine.create(
        FunctionSpec.node(
                "greedy",
                "exports.handler = () => new Promise((r) => setTimeout(r, 50, 'greedy'));")
            .withTimeout(20));
    engine.create(FunctionSpec.node("modest", "exports.handler = async () => 'modest';"));
    AtomicBoolean stopped = new AtomicBoolean();
    List<Thread> greedy =
        Stream.generate(() ->
                Thread.ofVirtual()
                    .start(() -> {
                      while (!stopped.get()) {
                        Answer _ = engine.invoke("greedy", "{}");
                      }
                    }))
            .limit(12)
            .toList();
    try {
      Eventually.isTrue(
          "both slots are busy",
          SOON,
          () -> engine.slots().stream().allMatch(slot -> slot.get("Concurrency").asInt() == 1));

      for (int i = 0; i < 3; i++) {
        assertThat(engine.call("modest", "{}")).isEqualTo("modest");
      }
    } finally {
      stopped.set(true);
      greedy.forEach(ConcurrencyIT::join);
    }
    assertThat(engine.call("greedy", "{}")).isEqualTo("greedy");
  }

  @Test
  void anAbandonedCallGivesItsPlaceBack() {
    engine.create(
        FunctionSpec.node(
                "abandoned",
                "exports.handler = (e) => new Promise((r) => setTimeout(r, e.millis ?? 0, 'done'));")
            .withTimeout(2));
    CompletableFuture<Answer> call = engine.invokeAsync("abandoned", "{\"millis\":60000}");
    Eventually.isTrue("it runs", SOON, () -> inFlight() == 1);

    assertThat(call.cancel(true)).isTrue();

    Eventually.isTrue("nothing is in flight", SOON, () -> inFlight() == 0);
    assertThat(engine.call("abandoned", "{}")).isEqualTo("done");
  }

  @Test
  void aNewRevisionIsNotMixedWithTheOldOne() {
    engine.create(FunctionSpec.node("changes", "exports.handler = async () => '1';").withQuota(10));
    assertThat(texts(calls("changes", 10))).containsOnly("1");

    engine.create(FunctionSpec.node("changes", "exports.handler = async () => '2';").withQuota(10));

    Eventually.holds(SOON, () -> assertThat(engine.call("changes", "{}")).isEqualTo("2"));
    assertThat(texts(calls("changes", 10))).containsOnly("2");
  }

  private static void assertLogsAreSeparate(String function) {
    List<CompletableFuture<Answer>> calls =
        IntStream.range(0, 10)
            .mapToObj(n -> engine.invokeAsync(function, "{\"n\":" + n + "}", "Log-Type", "Tail"))
            .toList();

    for (int n = 0; n < 10; n++) {
      Answer answer = calls.get(n).join();
      String number = "<" + n + ">";
      List<String> output = answer.log().lines().filter(line -> line.contains("<")).toList();
      assertThat(answer.isFailed()).describedAs("%s", answer).isFalse();
      assertThat(output)
          .describedAs("log of call %d", n)
          .hasSize(6)
          .allMatch(l -> l.contains(number));
    }
  }

  private static List<CompletableFuture<Answer>> calls(String function, int number) {
    return new ArrayList<>(
        IntStream.range(0, number).mapToObj(_ -> engine.invokeAsync(function, "{}")).toList());
  }

  private static List<String> texts(List<CompletableFuture<Answer>> calls) {
    return calls.stream()
        .map(CompletableFuture::join)
        .peek(answer -> assertThat(answer.status()).describedAs("%s", answer).isEqualTo(200))
        .peek(answer -> assertThat(answer.isFailed()).describedAs("%s", answer).isFalse())
        .map(Answer::text)
        .toList();
  }

  private static int inFlight() {
    return engine.slots().stream().mapToInt(slot -> slot.get("Concurrency").asInt()).sum();
  }

  private static void join(Thread thread) {
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }
}
