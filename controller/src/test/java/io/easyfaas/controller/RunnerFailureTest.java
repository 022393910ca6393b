package io.easyfaas.controller;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.json.Json;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.wire.ErrorDocument;
import io.easyfaas.common.wire.FrameType;
import io.easyfaas.common.wire.ResetRequest;
import io.easyfaas.common.wire.RunnerExit;
import io.easyfaas.controller.FakeRegistry.Traits;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// What callers are told, and what becomes of the slot, when a runner misbehaves or ends.
class RunnerFailureTest {
  private final TestController engine =
      new TestController(2, 512, "--runtime-alive-timeout", "300ms");

  @AfterEach
  void stop() {
    engine.close();
  }

  @Test
  void processThatEndsIsNamedAndItsSlotIsColdAtOnce() {
    String brn = engine.registry.add("exit", Traits.of("exit"));
    engine.funclet.exit(new RunnerExit(3, 0, false));

    HttpResponse<String> response =
        engine.send(engine.invocation(brn, "x").header("X-Easyfaas-Request-Id", "R1").build());

    assertUnhandled(response);
    assertThat(response.body())
        .isEqualTo(
            "{\"errorMessage\":\"RequestID: R1 Process exited before completing request: exit status 3\","
                + "\"errorType\":\"Runtime.ExitError\",\"stackTrace\":[]}");
    TestController.until("slot is cold", () -> engine.states().equals(List.of("cold", "cold")));
    assertThat(reasons()).containsExactly("runner-exited");
    assertThat(marked()).isZero();
  }

  @Test
  void signalThatEndsAProcessIsNamed() {
    String brn = engine.registry.add("exit", Traits.of("exit"));
    engine.funclet.exit(new RunnerExit(137, 9, false));

    assertThat(engine.invoke(brn, "x").body())
        .contains("Process exited before completing request: signal: killed\"");
  }

  @Test
  void processThatRanOutOfMemoryIsNamed() {
    String brn = engine.registry.add("exit", Traits.of("exit"));
    engine.funclet.exit(new RunnerExit(137, 9, true));

    HttpResponse<String> response = engine.invoke(brn, "x");

    assertUnhandled(response);
    assertThat(response.body())
        .contains("Process exited before completing request: out of memory (limit 128MB)")
        .contains("\"Runtime.OutOfMemory\"");
  }

  @Test
  void everyCallOfALostRunnerIsAnswered() throws Exception {
    String brn = engine.registry.add("hold", Traits.of("hold").concurrency(2));
    var first = engine.invokeLater(brn, "1");
    engine.funclet.awaitHeld();
    var second = engine.invokeLater(brn, "2");
    engine.funclet.awaitHeld();

    engine.funclet.runner(0).close();

    assertUnhandled(TestController.await(first));
    assertUnhandled(TestController.await(second));
  }

  @Test
  void callsThatWaitBehindALostRunnerGetAnotherSlot() throws Exception {
    String brn = engine.registry.add("hold", Traits.of("hold"));
    var one = engine.invokeLater(brn, "1");
    FakeRunner.Call first = engine.funclet.awaitHeld();
    var two = engine.invokeLater(brn, "2");
    FakeRunner.Call second = engine.funclet.awaitHeld();
    CompletableFuture<HttpResponse<String>> three = engine.invokeLater(brn, "3");
    TestController.until("a call waits", () -> waiting() == 1);

    first.runner().close();

    FakeRunner.Call third = engine.funclet.awaitHeld();
    third.answer("three");
    second.answer("two");
    assertThat(TestController.await(three).body()).isEqualTo("three");
    assertThat(TestController.await(two).body()).isEqualTo("two");
    assertUnhandled(TestController.await(one));
  }

  @Test
  void callThatTakesTooLongIsAnsweredAndItsSandboxReset() throws Exception {
    String brn = engine.registry.add("hold", Traits.of("hold"));
    var response =
        engine.sendLater(engine.invocation(brn, "x").header("X-Bce-Request-Id", "R1").build());
    engine.funclet.awaitHeld();

    engine.pass(Duration.ofSeconds(3));

    assertUnhandled(TestController.await(response));
    assertThat(TestController.await(response).body())
        .isEqualTo("{\"errorMessage\":\"R1 Task timed out after 3 seconds\"}");
    TestController.until("slot is cold", () -> engine.states().equals(List.of("cold", "cold")));
    assertThat(reasons()).containsExactly("timeout");
  }

  @Test
  void callIsNotTimedOutBeforeItsTime() throws Exception {
    String brn = engine.registry.add("hold", Traits.of("hold"));
    var response = engine.invokeLater(brn, "x");
    FakeRunner.Call call = engine.funclet.awaitHeld();

    engine.pass(Duration.ofMillis(2999));
    call.answer("in time");

    assertThat(TestController.await(response).body()).isEqualTo("in time");
  }

  @Test
  void slotWithATimedOutCallTakesNoNewOnesAndIsResetWhenTheOthersEnd() throws Exception {
    String brn = engine.registry.add("hold", Traits.of("hold").concurrency(10));
    var late = engine.invokeLater(brn, "late");
    engine.funclet.awaitHeld();
    engine.pass(Duration.ofSeconds(2));
    var other = engine.invokeLater(brn, "other");
    FakeRunner.Call otherCall = engine.funclet.awaitHeld();

    engine.pass(Duration.ofSeconds(1));
    assertThat(TestController.await(late).body()).contains("Task timed out after 3 seconds");
    var next = engine.invokeLater(brn, "next");
    FakeRunner.Call nextCall = engine.funclet.awaitHeld();

    assertThat(nextCall.runner()).isNotSameAs(otherCall.runner());
    assertThat(engine.states()).containsExactly("stopping", "warm");
    assertThat(reasons()).isEmpty();
    otherCall.answer("other");
    assertThat(TestController.await(other).body()).isEqualTo("other");
    TestController.until("slot is reset", () -> reasons().equals(List.of("timeout")));
    nextCall.answer("next");
    assertThat(TestController.await(next).body()).isEqualTo("next");
  }

  @Test
  void functionThatCannotBeLoadedTellsEveryWaitingCall() {
    String brn = engine.registry.add("broken", Traits.of("loadfail").concurrency(2));
    engine.funclet.holdWarmups();
    var first = engine.invokeLater(brn, "1");
    var second = engine.invokeLater(brn, "2");
    TestController.until("both wait", () -> waiting() == 2);

    engine.funclet.letWarmups(10);

    for (var response : List.of(first, second)) {
      assertUnhandled(TestController.await(response));
      assertThat(TestController.await(response).body()).contains("Runtime.ImportModuleError");
    }
    TestController.until("slot is cold", () -> engine.states().equals(List.of("cold", "cold")));
    assertThat(reasons()).containsExactly("load-failed");
  }

  @Test
  void processThatEndsWhileLoadingIsTheFunctionsError() {
    String brn = engine.registry.add("broken", Traits.of("echo"));
    engine.funclet.script(FakeRunner::endWhileLoading);
    engine.funclet.exit(new RunnerExit(137, 9, true));

    HttpResponse<String> response = engine.invoke(brn, "x");

    assertUnhandled(response);
    assertThat(response.body())
        .isEqualTo(
            "{\"errorMessage\":\"Process exited before completing request: out of memory (limit"
                + " 128MB)\",\"errorType\":\"Runtime.OutOfMemory\",\"stackTrace\":[]}");
    TestController.until("slot is cold", () -> engine.states().equals(List.of("cold", "cold")));
    assertThat(reasons()).containsExactly("load-failed");
    assertThat(marked()).isZero();
  }

  @Test
  void failedWarmupIsTriedOnceMoreInAnotherSlot() {
    String brn = engine.registry.add("hello", Traits.of("echo"));
    engine.funclet.failWarmups(1);

    assertThat(engine.invoke(brn, "x").body()).isEqualTo("x");

    assertThat(engine.funclet.warmups().stream().map(request -> request.containerID().value()))
        .containsExactly("pod-controller-c0", "pod-controller-c1");
    assertThat(reasons()).containsExactly("warmup-failed");
  }

  @Test
  void warmupThatFailsTwiceIsAnError500ThatSaysWhy() {
    String brn = engine.registry.add("hello", Traits.of("echo"));
    engine.funclet.failWarmups(2);

    HttpResponse<String> response = engine.invoke(brn, "x");

    ErrorDocument error = Json.PASCAL.read(response.body(), ErrorDocument.class);
    assertThat(response.statusCode()).isEqualTo(500);
    assertThat(error.code()).isEqualTo("ServiceException");
    assertThat(error.backtrace().getFirst().message())
        .contains("warm up runtime pod-controller-c1 failed")
        .contains("code: checksum differs");
    assertThat(engine.invoke(brn, "y").body()).isEqualTo("y");
  }

  @Test
  void runnerThatNeverGreetsIsNamed() {
    String brn = engine.registry.add("hello", Traits.of("echo"));
    engine.funclet.script(FakeRunner::awaitEnd);

    HttpResponse<String> response = engine.invoke(brn, "x");

    assertThat(response.statusCode()).isEqualTo(500);
    assertThat(response.body()).contains("no HELLO in");
    assertThat(reasons()).containsOnly("warmup-failed");
  }

  @Test
  void channelThatIsNeverHandedOverIsNamed() {
    String brn = engine.registry.add("hello", Traits.of("echo"));
    engine.funclet.neverConnect();

    HttpResponse<String> response = engine.invoke(brn, "x");

    assertThat(response.statusCode()).isEqualTo(500);
    assertThat(response.body()).contains("no channel was handed over in 300ms");
  }

  @Test
  void frameThatIsTooLongEndsTheRunner() throws Exception {
    assertProtocolError(ByteBuffer.allocate(12).putInt(0, 8 + FrameType.MAX_PAYLOAD_BYTES + 1));
  }

  @Test
  void frameThatIsTooShortEndsTheRunner() throws Exception {
    assertProtocolError(ByteBuffer.allocate(12).putInt(0, 7));
  }

  @Test
  void frameOfUnknownTypeEndsTheRunner() throws Exception {
    assertProtocolError(ByteBuffer.allocate(12).putInt(0, 8).put(4, (byte) 77));
  }

  @Test
  void answerToACallThatNeverWasEndsTheRunner() throws Exception {
    assertProtocolError(
        ByteBuffer.allocate(12).putInt(0, 8).put(4, FrameType.RESULT).putInt(8, 4711));
  }

  @Test
  void lateAnswerToATimedOutCallIsDropped() throws Exception {
    String brn = engine.registry.add("hold", Traits.of("hold").concurrency(10));
    var late = engine.invokeLater(brn, "late");
    FakeRunner.Call lateCall = engine.funclet.awaitHeld();
    engine.pass(Duration.ofSeconds(2));
    var other = engine.invokeLater(brn, "other");
    FakeRunner.Call otherCall = engine.funclet.awaitHeld();
    engine.pass(Duration.ofSeconds(1));
    assertThat(TestController.await(late).body()).contains("timed out");

    lateCall.answer("too late");
    otherCall.answer("other");

    assertThat(TestController.await(other).body()).isEqualTo("other");
  }

  @Test
  void silentIdleRunnerIsReset() {
    String brn = engine.registry.add("hello", Traits.of("echo"));
    engine.invoke(brn, "x");
    engine.funclet.runner(0).fallSilent();

    engine.pass(Duration.ofSeconds(10)); // Sends the ping.
    engine.settle();
    engine.pass(Duration.ofSeconds(5));

    TestController.until("slot is reset", () -> reasons().equals(List.of("runner-silent")));
  }

  @Test
  void idleRunnerThatAnswersPingsIsLeftAlone() throws Exception {
    String brn = engine.registry.add("hello", Traits.of("echo"));
    engine.invoke(brn, "x");

    engine.pass(Duration.ofSeconds(10));
    engine.funclet.runner(0).awaitPing();
    engine.invoke(brn, "y"); // Its answer comes behind that to the ping.
    engine.pass(Duration.ofSeconds(5));
    engine.settle();

    assertThat(engine.invoke(brn, "z").body()).isEqualTo("z");
    assertThat(engine.funclet.warmups()).hasSize(1);
  }

  @Test
  void callsThatEndWithFuncletAreTheEnginesFailure() throws Exception {
    String brn = engine.registry.add("hold", Traits.of("hold"));
    var response = engine.invokeLater(brn, "x");
    engine.funclet.awaitHeld();

    engine.funclet.gone(true);

    assertUnavailable(TestController.await(response));
    HttpResponse<String> ready = engine.get("/readyz");
    assertThat(ready.statusCode()).isEqualTo(503);
    assertThat(ready.body()).contains("\"no-funclet\"");
  }

  @Test
  void callsThatEndWithAFuncletThatHasASuccessorAreTheEnginesFailure() throws Exception {
    String brn = engine.registry.add("hold", Traits.of("hold"));
    var response = engine.invokeLater(brn, "x");
    engine.funclet.awaitHeld();

    engine.funclet.restart();

    assertUnavailable(TestController.await(response));
    TestController.until("slot is cold", () -> engine.states().equals(List.of("cold", "cold")));
  }

  @Test
  void functionWhoseSandboxIsLostWhileItIsLoadedIsLoadedInAnother() throws Exception {
    String brn = engine.registry.add("hello", Traits.of("echo"));
    AtomicBoolean isFirst = new AtomicBoolean(true);
    engine.funclet.script(runner -> {
      if (isFirst.getAndSet(false)) {
        runner.greet();
        runner.awaitLoad();
        engine.funclet.restart();
      } else {
        runner.greetAndLoad();
        runner.serve();
      }
    });

    assertThat(engine.invoke(brn, "x").body()).isEqualTo("x");
    assertThat(engine.funclet.warmups()).hasSize(2);
  }

  @Test
  void callWhoseSandboxesAreLostBeforeTheirRunnersGreetMayBeTriedAgain() {
    String brn = engine.registry.add("hello", Traits.of("echo"));
    engine.funclet.script(_ -> engine.funclet.restart());

    assertUnavailable(engine.invoke(brn, "x"));
  }

  @Test
  void callsThatComeWhenFuncletIsGoneMayBeTriedAgain() throws Exception {
    String brn = engine.registry.add("hello", Traits.of("echo"));
    engine.funclet.gone(true);

    assertUnavailable(engine.invoke(brn, "x"));
  }

  @Test
  void slotsAreBackASecondAfterFuncletHoweverLongItWasGone() throws Exception {
    String brn = engine.registry.add("hello", Traits.of("echo"));
    engine.invoke(brn, "x");
    engine.funclet.gone(true);
    for (int second = 0; second < 20; second++) {
      TestController.until(
          "the reset has failed", () -> engine.states().getFirst().equals("closed"));
      engine.pass(Duration.ofSeconds(1));
    }
    TestController.until("the reset has failed", () -> engine.states().getFirst().equals("closed"));

    engine.funclet.gone(false);
    engine.pass(Duration.ofSeconds(1));

    TestController.until("slots are back", () -> engine.states().equals(List.of("cold", "cold")));
    assertThat(engine.invoke(brn, "y").body()).isEqualTo("y");
  }

  @Test
  void codeThatIsNotReadyInTimeMayBeTriedAgain() {
    String brn = engine.registry.add("hello", Traits.of("echo"));
    engine.funclet.refuseWarmups(
        _ -> Optional.of(new ApiException(ErrorCode.GATEWAY_TIMEOUT, "not ready in time")));

    assertUnavailable(engine.invoke(brn, "x"));
  }

  private static void assertUnavailable(HttpResponse<String> response) {
    assertThat(response.statusCode()).isEqualTo(503);
    assertThat(response.headers().firstValue("Retry-After")).hasValue("1");
    assertThat(response.body()).contains("ServiceUnavailableException");
  }

  @Test
  void resetThatFailsIsTriedAgainLater() {
    String brn = engine.registry.add("exit", Traits.of("exit"));
    engine.funclet.failResets(1);

    assertUnavailable(engine.invoke(brn, "x")); // How its runner ended is not known.
    TestController.until("slot is out of use", () -> engine.states().getFirst().equals("closed"));
    assertThat(engine.get("/v1/runtimes").body()).contains("\"abnormal\":true");
    assertThat(marked()).isEqualTo(128L << 20);

    engine.pass(Duration.ofSeconds(1));

    TestController.until("slot is cold", () -> engine.states().equals(List.of("cold", "cold")));
    assertThat(marked()).isZero();
  }

  @Test
  void errorInTheEnginesOwnWorkIsNotTheEndOfASlot() {
    String brn = engine.registry.add("hello", Traits.of("echo"));
    engine.funclet.breakWith(new StackOverflowError("test"));

    HttpResponse<String> response = engine.invoke(brn, "x");

    assertThat(response.statusCode()).isEqualTo(500);
    assertThat(response.body()).contains("StackOverflowError");
    TestController.until("resets failed", () -> !engine.states().contains("stopping"));
    engine.funclet.breakWith(null);
    engine.pass(Duration.ofSeconds(1));
    TestController.until("slots are back", () -> engine.states().equals(List.of("cold", "cold")));
    assertThat(engine.invoke(brn, "y").body()).isEqualTo("y");
  }

  @Test
  void clientThatLeavesCancelsItsCall() throws Exception {
    String brn = engine.registry.add("hold", Traits.of("hold"));
    FakeRunner.Call call;
    try (RawClient client = new RawClient(engine.port())) {
      client.send(RawClient.invocation(brn, "x"));
      call = engine.funclet.awaitHeld();
    }

    assertThat(call.runner().awaitCancel()).isEqualTo(call.id());
    call.answer("nobody hears");
    TestController.until("slot is idle", () -> engine.inFlight() == 0);
  }

  @Test
  void clientThatLeavesWhileItWaitsIsForgotten() throws Exception {
    String brn = engine.registry.add("hold", Traits.of("hold").reserved(1));
    var first = engine.invokeLater(brn, "1");
    FakeRunner.Call call = engine.funclet.awaitHeld();
    try (RawClient client = new RawClient(engine.port())) {
      client.send(RawClient.invocation(brn, "2"));
      TestController.until("it waits", () -> waiting() == 1);
    }

    TestController.until("it is forgotten", () -> waiting() == 0);
    call.answer("ok");
    assertThat(TestController.await(first).body()).isEqualTo("ok");
    assertThat(engine.funclet.holdsNothing()).isTrue();
  }

  private void assertProtocolError(ByteBuffer bytes) throws Exception {
    String brn = engine.registry.add("hold", Traits.of("hold"));
    var response = engine.invokeLater(brn, "x");
    FakeRunner.Call call = engine.funclet.awaitHeld();

    call.runner().sendRaw(bytes);

    assertUnhandled(TestController.await(response));
    assertThat(reasons()).containsExactly("protocol-error");
  }

  private static void assertUnhandled(HttpResponse<String> response) {
    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.headers().firstValue("X-Easyfaas-Function-Error")).hasValue("Unhandled");
    assertThat(response.body().getBytes(UTF_8)).isNotEmpty();
  }

  private List<String> reasons() {
    return engine.funclet.resets().stream().map(ResetRequest::reason).toList();
  }

  private int waiting() {
    return engine.controller.warden().pool().usage().waiting();
  }

  private long marked() {
    return engine.controller.warden().pool().usage().marked().bytes();
  }
}
