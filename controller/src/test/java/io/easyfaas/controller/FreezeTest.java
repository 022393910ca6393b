package io.easyfaas.controller;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.common.wire.ResetRequest;
import io.easyfaas.controller.FakeRegistry.Traits;
import io.easyfaas.controller.pool.Reason;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Warm slots that nobody calls are paused, and continued for the next call.
class FreezeTest {
  private static final ContainerId C0 = ContainerId.of("pod", 0);

  private final TestController engine = new TestController(2, 256, "--freeze-after", "5s");
  private final String brn = engine.registry.add("a", Traits.of("echo").concurrency(4));

  @AfterEach
  void stop() {
    engine.close();
  }

  @Test
  void anIdleSlotIsFrozenAndThawedForTheNextCall() {
    freeze();

    assertThat(engine.invoke(brn, "2").body()).isEqualTo("2");

    assertThat(engine.funclet.frozen()).isEmpty();
    assertThat(engine.funclet.warmups()).hasSize(1);
    assertThat(engine.states()).containsExactly("warm", "cold");
  }

  @Test
  void manyCallsAtOnceThawItOnce() {
    freeze();

    List<CompletableFuture<?>> answers =
        IntStream.range(0, 20)
            .<CompletableFuture<?>>mapToObj(i -> engine.invokeLater(brn, "x"))
            .toList();
    answers.forEach(TestController::await);

    assertThat(engine.funclet.frozen()).isEmpty();
  }

  @Test
  void aBusySlotIsNotFrozen() throws Exception {
    String holds = engine.registry.add("holds", Traits.of("hold").timeout(60));
    var answer = engine.invokeLater(holds, "1");
    FakeRunner.Call call = engine.funclet.awaitHeld();

    engine.pass(Duration.ofSeconds(30));
    assertThat(engine.states()).containsExactly("warm", "cold");

    call.answer("done");
    assertThat(TestController.await(answer).body()).isEqualTo("done");
  }

  @Test
  void aFrozenSlotIsCooledDownWhenItsTimeIsOver() {
    freeze();

    engine.pass(Duration.ofSeconds(55));

    TestController.until("it is cold", () -> engine.states().getFirst().equals("cold"));
    assertThat(engine.funclet.resets())
        .extracting(ResetRequest::reason)
        .containsExactly(Reason.IDLE.word());
    assertThat(engine.invoke(brn, "2").body()).isEqualTo("2");
  }

  @Test
  void aFrozenRunnerIsNotPinged() {
    freeze();
    engine.pass(Duration.ofSeconds(20));
    engine.pass(Duration.ofSeconds(20));
    engine.settle();

    assertThat(engine.states()).containsExactly("frozen", "cold");
    assertThat(engine.funclet.resets()).isEmpty();
  }

  @Test
  void aSlotIsNotThawedWhileItIsBeingFrozen() {
    assertThat(engine.invoke(brn, "1").body()).isEqualTo("1");
    TestController.until("it is idle", () -> engine.inFlight() == 0);
    engine.funclet.holdFreezes();
    engine.pass(Duration.ofSeconds(5));
    TestController.until("it is being frozen", () -> engine.funclet.freezing() == 1);

    var answer = engine.invokeLater(brn, "2");
    TestController.until("it is to be thawed", () -> engine.states().getFirst().equals("thawing"));
    engine.settle();
    engine.funclet.letFreezes(1);

    assertThat(TestController.await(answer).body()).isEqualTo("2");
    assertThat(engine.funclet.frozen()).as("the freeze came first").isEmpty();
  }

  @Test
  void aFrozenSlotWhoseRunnerIsLostIsRepaired() throws IOException {
    freeze();

    engine.funclet.runner(0).close();

    TestController.until("it is cold", () -> engine.states().getFirst().equals("cold"));
    assertThat(engine.invoke(brn, "2").body()).isEqualTo("2");
  }

  @Test
  void aSlotThatCannotBeThawedIsResetAndTheCallGetsAnother() {
    freeze();
    engine.funclet.failThaws(1);

    assertThat(engine.invoke(brn, "2").body()).isEqualTo("2");

    assertThat(engine.funclet.resets())
        .extracting(ResetRequest::reason)
        .containsExactly(Reason.THAW_FAILED.word());
  }

  @Test
  void aSlotThatCouldNotBeFrozenIsTriedAgain() {
    failFreezes(2);

    TestController.until(
        "it is frozen",
        () -> {
          engine.pass(Duration.ofMillis(100));
          return engine.funclet.frozen().contains(C0);
        });

    assertThat(engine.states()).containsExactly("frozen", "cold");
    assertThat(engine.funclet.resets()).isEmpty();
    assertThat(engine.invoke(brn, "2").body()).isEqualTo("2");
  }

  @Test
  void aSlotThatCannotBeFrozenIsReset() {
    failFreezes(Integer.MAX_VALUE);

    TestController.until(
        "it is reset",
        () -> {
          engine.pass(Duration.ofMillis(100));
          return !engine.funclet.resets().isEmpty();
        });

    assertThat(engine.funclet.resets())
        .extracting(ResetRequest::reason)
        .containsExactly(Reason.FREEZE_FAILED.word());
    assertThat(engine.invoke(brn, "2").body()).isEqualTo("2");
  }

  private void failFreezes(int count) {
    engine.funclet.failFreezes(count);
    assertThat(engine.invoke(brn, "1").body()).isEqualTo("1");
    TestController.until("it is idle", () -> engine.inFlight() == 0);
    engine.pass(Duration.ofSeconds(5));
  }

  private void freeze() {
    assertThat(engine.invoke(brn, "1").body()).isEqualTo("1");
    TestController.until("it is idle", () -> engine.inFlight() == 0);
    engine.pass(Duration.ofSeconds(5));
    TestController.until("it is frozen", () -> engine.funclet.frozen().contains(C0));
    assertThat(engine.states()).containsExactly("frozen", "cold");
  }
}
