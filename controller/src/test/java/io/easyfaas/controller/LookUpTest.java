package io.easyfaas.controller;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.controller.FakeRegistry.Traits;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// What becomes of calls whose function has to be asked for, when the registry is slow or gone.
class LookUpTest {
  // Those that wait do so for as long as a test takes, however slow the machine is.
  private final TestController engine = start("60s");
  private final List<CompletableFuture<HttpResponse<String>>> waiting = new ArrayList<>();

  @AfterEach
  void stop() {
    engine.registry.goOn();
    waiting.forEach(TestController::await);
    engine.close();
  }

  @Test
  void callsThatWaitForTheRegistryAreBoundedByNumber() {
    engine.registry.stop();
    for (int i = 0; i < 3; i++) {
      waits(engine.registry.add("f" + i, Traits.of("echo")), "x");
    }

    TestController.until("all are asked for", () -> engine.registry.asked() == 3);

    HttpResponse<String> refused = engine.invoke(engine.registry.add("one", Traits.of("echo")), "");

    assertThat(refused.statusCode()).isEqualTo(429);
    assertThat(refused.headers().firstValue("Retry-After")).hasValue("1");
    assertThat(refused.body()).contains("3 calls wait already");
    assertThat(engine.registry.asked()).isEqualTo(3);
  }

  @Test
  void callsThatWaitForTheRegistryAreBoundedByBytes() {
    String brn = engine.registry.add("f", Traits.of("echo"));
    engine.registry.stop();
    waits(brn, "x".repeat(60));

    HttpResponse<String> refused = engine.invoke(brn, "x".repeat(41));

    assertThat(refused.statusCode()).isEqualTo(429);
    assertThat(refused.body()).contains("calls with 60 bytes wait already");
  }

  @Test
  void callsThatWaitForASlotAndForTheRegistryAreBoundedTogether() throws Exception {
    String brn = engine.registry.add("hold", Traits.of("hold").reserved(1));
    CompletableFuture<HttpResponse<String>> running = engine.invokeLater(brn, "x");
    FakeRunner.Call call = engine.funclet.awaitHeld();
    waits(brn, "a");
    waits(brn, "b");
    engine.registry.stop();
    waits(engine.registry.add("other", Traits.of("echo")), "c");

    HttpResponse<String> refused = engine.invoke(brn, "d");

    assertThat(refused.statusCode()).isEqualTo(429);
    call.answer("");
    engine.funclet.awaitHeld().answer("");
    engine.funclet.awaitHeld().answer("");
    TestController.await(running);
  }

  @Test
  void callThatTheRegistryKeepsWaitingIsToldToComeBack() {
    try (TestController hurried = start("1s")) {
      hurried.registry.stop();

      HttpResponse<String> late = hurried.invoke(hurried.registry.add("f", Traits.of("echo")), "x");

      hurried.registry.goOn();
      assertThat(late.statusCode()).isEqualTo(503);
      assertThat(late.headers().firstValue("Retry-After")).hasValue("1");
      assertThat(late.body()).contains("the function registry does not answer", "no answer in ");
      assertThat(hurried.controller.warden().pool().waitingRoom().calls()).isZero();
    }
  }

  @Test
  void functionThatIsKnownGoesOnWithoutTheRegistry() {
    try (TestController hurried = start("1s")) {
      String brn = knownWithoutRegistry(hurried);

      HttpResponse<String> known = hurried.invoke(brn, "goes on");

      hurried.registry.goOn();
      assertThat(known.body()).isEqualTo("goes on");
      assertThat(hurried.get("/metrics").body())
          .contains("easyfaas_function_lookups_stale_total 1.0");
    }
  }

  @Test
  void callWhoseFunctionIsKnownGoesOnWhenTheAnswerIsLate() {
    String brn = knownWithoutRegistry(engine);

    assertThat(engine.invoke(brn, "after two seconds").body()).isEqualTo("after two seconds");
    assertThat(engine.controller.warden().pool().waitingRoom().calls()).isZero();
  }

  @Test
  void callThatWaitsForTheRegistryIsToldThatTheEngineStops() {
    try (TestController stopped = start("60s")) {
      stopped.registry.stop();
      CompletableFuture<HttpResponse<String>> waits =
          stopped.invokeLater(stopped.registry.add("f", Traits.of("echo")), "x");
      TestController.until("it is asked for", () -> stopped.registry.asked() == 1);

      stopped.controller.close();

      stopped.registry.goOn();
      assertThat(TestController.await(waits).statusCode()).isEqualTo(503);
      assertThat(stopped.controller.warden().pool().waitingRoom().calls()).isZero();
    }
  }

  @Test
  void functionThatIsKnownGoesOnThoughTooManyWaitForTheRegistry() {
    String brn = knownWithoutRegistry(engine);
    for (int i = 0; i < 3; i++) {
      waits(engine.registry.add("f" + i, Traits.of("echo")), "x");
    }

    assertThat(engine.invoke(brn, "goes on").body()).isEqualTo("goes on");
  }

  /// A function that was called once, is not believed any more, and whose registry says nothing.
  private static String knownWithoutRegistry(TestController controller) {
    String brn = controller.registry.add("f", Traits.of("echo"));
    controller.invoke(brn, "x");
    controller.registry.stop();
    controller.pass(Duration.ofMinutes(10));
    return brn;
  }

  private static TestController start(String patience) {
    return new TestController(
        2,
        512,
        "--max-queue=3",
        "--max-queue-bytes=100B",
        "--max-body=100B",
        "--max-queue-wait=" + patience);
  }

  private void waits(String brn, String body) {
    int before = engine.controller.warden().pool().waitingRoom().calls();
    waiting.add(engine.invokeLater(brn, body));
    TestController.until(
        "it waits", () -> engine.controller.warden().pool().waitingRoom().calls() > before);
  }
}
