package io.easyfaas.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.UncheckedIOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import tools.jackson.databind.JsonNode;

/// Starting, running for a while, and stopping.
@EndToEnd
final class RunIT {
  private static final Duration STOPPED = Duration.ofSeconds(20);
  private static final Duration SOON = Duration.ofSeconds(10);

  @RegisterExtension private static final Leaks LEAKS = new Leaks();

  @Test
  void sigtermEndsAnIdleEngine() {
    EngineProcess engine = LEAKS.start("--container-num=2");

    engine.terminate();

    assertThat(engine.awaitEnd(STOPPED)).isIn(0, 143);
    LEAKS.assertNothingLeft(engine);
  }

  @Test
  void callsInFlightAreAnsweredOrRefusedWhenItStops() {
    EngineProcess engine = LEAKS.start("--container-num=2");
    engine.create(
        FunctionSpec.node(
                "busy", "exports.handler = () => new Promise((r) => setTimeout(r, 500, 'served'));")
            .withQuota(4)
            .withTimeout(30));
    assertThat(engine.call("busy", "{}")).isEqualTo("served");
    List<CompletableFuture<Answer>> calls =
        Stream.generate(() -> engine.invokeAsync("busy", "{}")).limit(4).toList();
    Eventually.isTrue(
        "calls are in flight",
        SOON,
        () -> engine.slots().stream().anyMatch(slot -> slot.get("Concurrency").asInt() == 4));

    engine.terminate();

    int _ = engine.awaitEnd(STOPPED);
    for (CompletableFuture<Answer> call : calls) {
      Answer answer = answered(call);
      boolean isServed = answer.status() == 200 && answer.text().equals("served");
      boolean isRefused = answer.status() == 503;
      boolean isTold = answer.isFailed() && !answer.text().isEmpty();
      assertThat(isServed || isRefused || isTold).describedAs("%s", answer).isTrue();
    }
    LEAKS.assertNothingLeft(engine);
  }

  @Test
  void aFunctionThatDoesNotEndDoesNotKeepTheEngine() {
    EngineProcess engine = LEAKS.start("--container-num=1");
    engine.create(
        FunctionSpec.node("stuck", "exports.handler = async () => { for (;;); };")
            .withTimeout(300));
    CompletableFuture<Answer> call = engine.invokeAsync("stuck", "{}");
    Eventually.isTrue(
        "it runs", SOON, () -> engine.slots().getFirst().get("Concurrency").asInt() == 1);

    engine.terminate();

    int _ = engine.awaitEnd(STOPPED);
    Eventually.isTrue("its caller is told", SOON, call::isDone);
    LEAKS.assertNothingLeft(engine);
  }

  @Test
  void anEngineThatStoppedStartsAgainWithItsFunctions() {
    EngineHome home = LEAKS.home();
    EngineProcess first = home.start("--container-num=1");
    first.create(FunctionSpec.python("kept", "def handler(event, context):\n    return 'kept'"));
    assertThat(first.call("kept", "{}")).isEqualTo("kept");
    first.close();

    EngineProcess second = home.start("--container-num=1");

    assertThat(second.call("kept", "{}")).isEqualTo("kept");
  }

  @Test
  void nothingGrowsWithTheNumberOfCalls() {
    EngineProcess engine = LEAKS.start("--container-num=2");
    Shell shell = Shell.create(engine, Shell.python("shell").withTimeout(1));
    round(engine, shell);
    coolDown(engine);
    int engineBefore = settledDescriptors(engine.pid());
    int launcherBefore = settledDescriptors(engine.launcher().pid());
    long processesBefore = engine.handle().descendants().count();

    for (int i = 0; i < 4; i++) {
      round(engine, shell);
    }
    coolDown(engine);

    assertThat(settledDescriptors(engine.pid())).isLessThanOrEqualTo(engineBefore);
    assertThat(settledDescriptors(engine.launcher().pid())).isLessThanOrEqualTo(launcherBefore);
    assertThat(engine.handle().descendants().count()).isEqualTo(processesBefore);
    assertThat(LEAKS.footprint(engine).mounts()).isEmpty();
  }

  @Test
  void anIdleSandboxIsGivenBack() {
    EngineProcess engine = LEAKS.start("--container-num=1", "--max-runtime-idle=1s");
    engine.create(FunctionSpec.node("brief", "exports.handler = async () => 'done';"));
    assertThat(engine.call("brief", "{}")).isEqualTo("done");

    Eventually.holds(
        SOON,
        () -> assertThat(engine.slots().getFirst().get("State").asString()).isEqualTo("cold"));

    assertThat(
            engine
                .send(engine.controller("/v1/resource").GET())
                .json()
                .at("/Marked/Memory")
                .asLong())
        .isZero();
    assertThat(engine.call("brief", "{}")).isEqualTo("done");
  }

  /// Good calls, failed ones, a crash, a timeout, a refusal: everything that opens something.
  private static void round(EngineProcess engine, Shell shell) {
    for (int i = 0; i < 20; i++) {
      shell.run("return 1");
    }
    shell.attempt("raise ValueError('no')");
    shell.attempt("os._exit(1)");
    shell.attempt("time.sleep(5)");
    engine.invoke("nobody", "{}");
    engine.create(
        FunctionSpec.node("other", "exports.handler = async () => '" + System.nanoTime() + "';"));
    engine.call("other", "{}");
  }

  /// Resets every slot, so that what is open does not depend on which functions are warm.
  private static void coolDown(EngineProcess engine) {
    for (JsonNode slot : engine.slots()) {
      String path = "/v1/runtimes/" + slot.get("RuntimeID").asString() + "/invalidate";
      Answer _ = engine.send(engine.controller(path).POST(BodyPublishers.noBody()));
    }
    Eventually.holds(
        SOON,
        () ->
            assertThat(engine.slots())
                .extracting(slot -> slot.get("State").asString())
                .containsOnly("cold"));
  }

  /// The number when it has not changed for a while; sockets close a moment after their calls.
  private static int settledDescriptors(long pid) {
    int[] last = {-1, 0};
    return Eventually.value(
        "descriptors settle",
        SOON,
        () -> {
          int now = Descriptors.of(pid).size();
          last[1] = now == last[0] ? last[1] + 1 : 0;
          last[0] = now;
          return last[1] == 50 ? Optional.of(now) : Optional.empty();
        });
  }

  /// The answer, or a failure that says that the engine closed the connection without one.
  private static Answer answered(CompletableFuture<Answer> call) {
    try {
      return call.join();
    } catch (CompletionException | UncheckedIOException e) {
      throw new AssertionError("a call got no answer", e);
    }
  }
}
