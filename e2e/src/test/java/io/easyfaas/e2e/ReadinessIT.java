package io.easyfaas.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// Whether a load balancer is told to send calls here.
@EndToEnd
final class ReadinessIT {
  private static final Duration SOON = Duration.ofSeconds(10);

  @RegisterExtension private static final Leaks LEAKS = new Leaks();

  @Test
  void anEngineIsReadyOnceASandboxHasTakenCode() {
    EngineProcess engine = LEAKS.start("--container-num=1");

    Eventually.isTrue("it is ready", SOON, () -> readiness(engine).status() == 200);

    assertThat(readiness(engine).text()).isEqualTo("{\"Ready\":true,\"Reasons\":[]}");
  }

  @Test
  void anEngineWhoseSandboxesTakeNoCodeIsAliveAndNotReady() {
    // Without this capability sandboxes can be made, but nothing can be mounted into them.
    List<String> command =
        new ArrayList<>(List.of("setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"));
    EngineHome home = LEAKS.home();
    command.addAll(Installation.command(home.arguments("--container-num=2")));
    EngineProcess engine = home.run(command);
    engine.awaitReady();

    Eventually.isTrue(
        "it is found out",
        SOON,
        () -> readiness(engine).text().equals("{\"Ready\":false,\"Reasons\":[\"no-sandbox\"]}"));

    assertThat(readiness(engine).status()).isEqualTo(503);
    assertThat(engine.send(engine.controller("/healthz").GET()).status()).isEqualTo(200);
  }

  @Test
  void aControllerIsAliveAndNotReadyUntilFuncletAnswers() {
    EngineHome home = LEAKS.home();
    EngineProcess controller = SplitEngine.controller(home);

    assertThat(readiness(controller).text())
        .isEqualTo("{\"Ready\":false,\"Reasons\":[\"starting\"]}");
    assertThat(readiness(controller).status()).isEqualTo(503);
    Answer refused = controller.invoke("early", "{}");
    assertThat(refused.status()).isEqualTo(503);
    assertThat(refused.header("Retry-After")).isPresent();
    assertThat(refused.text()).contains("funclet does not answer yet");

    EngineProcess _ = SplitEngine.registry(home);
    EngineProcess _ = SplitEngine.funclet(home);
    controller.awaitServing(home.port());
    controller.create(FunctionSpec.node("early", "exports.handler = async () => 'now';"));

    assertThat(controller.invoke("early", "{}").text()).isEqualTo("now");
  }

  @Test
  void aControllerWhoseFuncletIsGoneTellsItsCallsSo() {
    EngineHome home = LEAKS.home();
    EngineProcess _ = SplitEngine.registry(home);
    EngineProcess funclet = SplitEngine.funclet(home);
    EngineProcess controller = SplitEngine.controller(home, "--max-queue-wait=2s");
    controller.awaitServing(home.port());
    controller.create(FunctionSpec.node("late", "exports.handler = async () => 'now';"));
    funclet.terminate();
    int _ = funclet.awaitEnd(SOON);

    Answer first = controller.invoke("late", "{}");
    assertThat(first.status()).isEqualTo(503);
    Answer refused = controller.invoke("late", "{}");

    assertThat(refused.status()).isEqualTo(503);
    assertThat(refused.header("Retry-After")).isPresent();
    assertThat(refused.text()).contains("no sandbox is free, and none can be made");
    assertThat(readiness(controller).text()).contains("\"no-sandbox\"", "\"no-funclet\"");
  }

  @Test
  void anEngineThatStopsSaysSoWhileItsCallsEnd() {
    EngineProcess engine = LEAKS.start("--container-num=2");
    engine.create(
        FunctionSpec.node(
                "slow", "exports.handler = () => new Promise((r) => setTimeout(r, 3000, 'done'));")
            .withTimeout(30));
    CompletableFuture<Answer> call = engine.invokeAsync("slow", "{}");
    Eventually.isTrue(
        "it runs",
        SOON,
        () -> engine.slots().stream().anyMatch(slot -> slot.get("Concurrency").asInt() == 1));

    engine.terminate();

    Eventually.isTrue(
        "it says so",
        SOON,
        () -> readiness(engine).text().equals("{\"Ready\":false,\"Reasons\":[\"draining\"]}"));
    Answer refused = engine.invoke("slow", "{}");
    assertThat(refused.status()).isEqualTo(503);
    assertThat(call.join().text()).isEqualTo("done");
    int _ = engine.awaitEnd(SOON);
    LEAKS.assertNothingLeft(engine);
  }

  private static Answer readiness(EngineProcess engine) {
    return engine.send(engine.controller("/readyz").GET());
  }
}
