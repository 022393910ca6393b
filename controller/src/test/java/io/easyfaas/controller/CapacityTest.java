package io.easyfaas.controller;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.easyfaas.common.wire.ResetRequest;
import io.easyfaas.controller.FakeRegistry.Traits;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Who gets a slot, who waits, and who is told to come back.
class CapacityTest {
  private final TestController engine =
      new TestController(4, 512, "--max-queue", "3", "--max-queue-wait", "5s");

  @AfterEach
  void stop() {
    engine.close();
  }

  @Test
  void moreCallsThanSlotsWaitAndAreRefusedWithRetryAfter() throws Exception {
    String brn = engine.registry.add("hold", Traits.of("hold"));
    List<FakeRunner.Call> running = new ArrayList<>();
    List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      answers.add(engine.invokeLater(brn, "x"));
      running.add(engine.funclet.awaitHeld());
    }
    CompletableFuture<HttpResponse<String>> waits = engine.invokeLater(brn, "waits");
    TestController.until("it waits", () -> waiting() == 1);

    engine.pass(Duration.ofMillis(2500));
    running.getFirst().answer("first");
    FakeRunner.Call served = engine.funclet.awaitHeld();
    CompletableFuture<HttpResponse<String>> late = engine.invokeLater(brn, "late");
    TestController.until("it waits", () -> waiting() == 1);
    engine.pass(Duration.ofMillis(400));
    served.answer("served");
    engine.funclet.awaitHeld().answer("late");

    assertThat(TestController.await(waits).body()).isEqualTo("served");
    assertThat(TestController.await(late).body()).isEqualTo("late");
    running.subList(1, 4).forEach(call -> call.answer("done"));
    answers.forEach(TestController::await);
  }

  @Test
  void waitThatIsOverIsA429() throws Exception {
    String brn = engine.registry.add("hold", Traits.of("hold").memory(512).timeout(60));
    var running = engine.invokeLater(brn, "x");
    FakeRunner.Call call = engine.funclet.awaitHeld();
    var waits = engine.invokeLater(brn, "waits");
    TestController.until("it waits", () -> waiting() == 1);

    engine.pass(Duration.ofMillis(4999));
    assertThat(waits).isNotDone();
    engine.pass(Duration.ofMillis(1));

    HttpResponse<String> response = TestController.await(waits);
    assertThat(response.statusCode()).isEqualTo(429);
    assertThat(response.headers().firstValue("Retry-After")).hasValue("1");
    assertThat(response.body())
        .startsWith(
            "{\"Code\":\"TooManyRequestsException\",\"Cause\":\"empty runtime\","
                + "\"Message\":\"Too many requests\",\"Status\":429,\"Type\":\"User\"")
        .contains("no slot in 5000ms");
    call.answer("done");
    TestController.await(running);
  }

  @Test
  void fullQueueIsA429AtOnce() throws Exception {
    String brn = engine.registry.add("hold", Traits.of("hold").reserved(1));
    List<CompletableFuture<HttpResponse<String>>> all = new ArrayList<>();
    all.add(engine.invokeLater(brn, "0"));
    engine.funclet.awaitHeld().answer("0");
    all.add(engine.invokeLater(brn, "running"));
    FakeRunner.Call running = engine.funclet.awaitHeld();
    for (int i = 1; i <= 3; i++) {
      int waiting = i;
      all.add(engine.invokeLater(brn, "waits"));
      TestController.until("it waits", () -> waiting() == waiting);
    }

    HttpResponse<String> refused = engine.invoke(brn, "one too many");

    assertThat(refused.statusCode()).isEqualTo(429);
    assertThat(refused.body())
        .contains("3 calls wait already; --max-queue lets 3 wait besides those");
    running.answer("done");
    for (int i = 0; i < 3; i++) {
      engine.funclet.awaitHeld().answer("done");
    }
    all.forEach(TestController::await);
  }

  @Test
  void zeroIsAValueWhereNothingIsKeptOrWaitedFor() throws Exception {
    try (TestController bare =
        new TestController(
            2,
            512,
            "--max-queue=0",
            "--max-prewarmed=0",
            "--freeze-after=0s",
            "--max-runtime-idle=0s",
            "--latest-cache=0s",
            "--latest-stale=0s",
            "--function-cache-size=0B")) {
      String brn = bare.registry.add("f", Traits.of("echo"));

      assertThat(bare.invoke(brn, "one").body()).isEqualTo("one");
      assertThat(bare.invoke(brn, "two").body()).isEqualTo("two");
    }
  }

  @Test
  void withoutAQueueACallThatASlotIsMadeForIsServed() throws Exception {
    try (TestController strict = new TestController(2, 512, "--max-queue", "0")) {
      String first = strict.registry.add("first", Traits.of("hold"));
      String second = strict.registry.add("second", Traits.of("echo"));
      assertThat(strict.get("/readyz").statusCode()).isEqualTo(200);

      CompletableFuture<HttpResponse<String>> one = strict.invokeLater(first, "1");
      FakeRunner.Call running = strict.funclet.awaitHeld();
      CompletableFuture<HttpResponse<String>> two = strict.invokeLater(first, "2");
      FakeRunner.Call other = strict.funclet.awaitHeld();
      HttpResponse<String> refused = strict.invoke(second, "3");
      running.answer("done");
      other.answer("done");
      assertThat(TestController.await(one).body()).isEqualTo("done");
      assertThat(TestController.await(two).body()).isEqualTo("done");

      assertThat(refused.statusCode()).isEqualTo(429);
      assertThat(strict.invoke(second, "room is made").body()).isEqualTo("room is made");
    }
  }

  @Test
  void functionThatNeverFitsIsRefusedAtOnce() {
    String brn = engine.registry.add("huge", Traits.of("echo").memory(513));

    HttpResponse<String> response = engine.invoke(brn, "x");

    assertThat(response.statusCode()).isEqualTo(400);
    assertThat(response.headers().firstValue("Retry-After")).isEmpty();
    assertThat(response.body()).contains("function needs 513MiB, there is 512MiB");
  }

  @Test
  void reservedConcurrencyOfZeroRefusesEveryCall() {
    String brn = engine.registry.add("off", Traits.of("echo").reserved(0));

    HttpResponse<String> response = engine.invoke(brn, "x");

    assertThat(response.statusCode()).isEqualTo(400);
    assertThat(response.body()).contains("reserved concurrency is 0");
  }

  @Test
  void reservedConcurrencyLimitsAFunctionThoughSlotsAreFree() throws Exception {
    String brn = engine.registry.add("hold", Traits.of("hold").reserved(2));
    List<CompletableFuture<HttpResponse<String>>> all = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      all.add(engine.invokeLater(brn, "x"));
    }
    FakeRunner.Call first = engine.funclet.awaitHeld();
    FakeRunner.Call second = engine.funclet.awaitHeld();
    TestController.until("the third waits", () -> waiting() == 1);

    assertThat(engine.inFlight()).isEqualTo(2);
    first.answer("1");
    FakeRunner.Call third = engine.funclet.awaitHeld();
    second.answer("2");
    third.answer("3");

    all.forEach(TestController::await);
    assertThat(engine.funclet.warmups()).hasSize(2);
  }

  @Test
  void tenParallelCallsOfAFunctionWithConcurrencyTenShareOneSlot() throws Exception {
    try (TestController wide = new TestController(4, 512)) {
      String brn = wide.registry.add("hold", Traits.of("hold").concurrency(10));
      List<CompletableFuture<HttpResponse<String>>> all = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        all.add(wide.invokeLater(brn, "x"));
      }
      List<FakeRunner.Call> calls = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        calls.add(wide.funclet.awaitHeld());
      }

      assertThat(wide.get("/v1/runtimes").body()).contains("\"Concurrency\":10");
      calls.forEach(call -> call.answer("ok"));
      all.forEach(TestController::await);
      assertThat(wide.funclet.warmups()).hasSize(1);
    }
  }

  @Test
  void herdOfFirstCallsStartsAsManySlotsAsItNeeds() throws Exception {
    try (TestController herd = new TestController(4, 512)) {
      String brn = herd.registry.add("hold", Traits.of("hold").concurrency(10));
      herd.funclet.holdWarmups();
      List<CompletableFuture<HttpResponse<String>>> all = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        all.add(herd.invokeLater(brn, "x"));
      }
      TestController.until(
          "all wait", () -> herd.controller.warden().pool().usage().waiting() == 20);

      herd.funclet.letWarmups(100);
      for (int i = 0; i < 20; i++) {
        herd.funclet.awaitHeld().answer("ok");
      }

      all.forEach(answer -> assertThat(TestController.await(answer).body()).isEqualTo("ok"));
      assertThat(herd.funclet.warmups()).hasSize(2);
    }
  }

  @Test
  void idleSlotOfAnotherFunctionMakesRoom() {
    String first = engine.registry.add("first", Traits.of("echo").memory(256));
    String second = engine.registry.add("second", Traits.of("echo").memory(256));
    String third = engine.registry.add("third", Traits.of("echo").memory(256));
    engine.invoke(first, "1");
    engine.pass(Duration.ofMillis(10));
    engine.invoke(second, "2");
    engine.pass(Duration.ofMillis(10));
    engine.invoke(first, "1 again");

    assertThat(engine.invoke(third, "3").body()).isEqualTo("3");

    assertThat(engine.funclet.resets())
        .extracting(ResetRequest::reason, request -> request.containerID().value())
        .containsExactly(tuple("make-room", "pod-controller-c1"));
  }

  @Test
  void functionWithoutASlotIsNotHeldBackForEver() throws Exception {
    String greedy = engine.registry.add("greedy", Traits.of("hold").memory(512).timeout(60));
    String modest = engine.registry.add("modest", Traits.of("echo"));
    var first = engine.invokeLater(greedy, "1");
    FakeRunner.Call running = engine.funclet.awaitHeld();
    var second = engine.invokeLater(greedy, "2");
    TestController.until("it waits", () -> waiting() == 1);
    var patient = engine.invokeLater(modest, "modest");
    TestController.until("both wait", () -> waiting() == 2);

    engine.pass(Duration.ofSeconds(1));
    running.answer("done");

    assertThat(TestController.await(patient).body()).isEqualTo("modest");
    assertThat(TestController.await(first).body()).isEqualTo("done");
    assertThat(second).isNotDone();
  }

  @Test
  void idleSlotCoolsDownAfterItsLastCallEnded() throws Exception {
    String brn = engine.registry.add("hold", Traits.of("hold").timeout(300));
    var response = engine.invokeLater(brn, "x");
    FakeRunner.Call call = engine.funclet.awaitHeld();
    engine.pass(Duration.ofSeconds(100)); // Longer than the idle time: that must not count.
    call.answer("ok");
    TestController.await(response);

    engine.pass(Duration.ofSeconds(9));
    engine.settle();
    assertThat(engine.states().getFirst()).isEqualTo("warm");
    engine.pass(Duration.ofSeconds(51));

    TestController.until("slot is cold", () -> engine.states().getFirst().equals("cold"));
    assertThat(engine.funclet.resets()).extracting(ResetRequest::reason).containsExactly("idle");
    assertThat(engine.get("/v1/resource").body())
        .contains("\"Used\":{\"MilliCPUs\":0,\"Memory\":0}")
        .contains("\"Marked\":{\"MilliCPUs\":0,\"Memory\":0}");
  }

  @Test
  void slotsFoundWarmAtTheStartAreResetFirst() {
    try (TestController restarted = new TestController(2, 256, 1, FakeFunclet::startDirty)) {
      TestController.until(
          "slots are cold", () -> restarted.states().equals(List.of("cold", "cold")));
      String brn = restarted.registry.add("hello", Traits.of("echo"));

      assertThat(restarted.invoke(brn, "x").body()).isEqualTo("x");
      assertThat(restarted.funclet.resets())
          .extracting(ResetRequest::reason)
          .containsOnly("controller-restarted");
    }
  }

  @Test
  void severalEventLoopsServeAllConnections() {
    try (TestController several = new TestController(4, 512, 3, _ -> {})) {
      String brn = several.registry.add("hello", Traits.of("echo").concurrency(3));
      List<CompletableFuture<HttpResponse<String>>> all = new ArrayList<>();
      for (int i = 0; i < 200; i++) {
        all.add(several.invokeLater(brn, "call " + i));
      }

      for (int i = 0; i < 200; i++) {
        assertThat(TestController.await(all.get(i)).body()).isEqualTo("call " + i);
      }
      TestController.until("all permits are back", () -> several.inFlight() == 0);
    }
  }

  private int waiting() {
    return engine.controller.warden().pool().usage().waiting();
  }
}
