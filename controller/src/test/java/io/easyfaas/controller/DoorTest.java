package io.easyfaas.controller;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.brn.Account;
import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.common.invoke.AnswerHead;
import io.easyfaas.common.invoke.Call;
import io.easyfaas.common.invoke.CallFailure;
import io.easyfaas.common.invoke.CallHeaders;
import io.easyfaas.common.invoke.CallRequest;
import io.easyfaas.common.invoke.CallSink;
import io.easyfaas.common.invoke.CallTerms;
import io.easyfaas.common.invoke.FunctionReference;
import io.easyfaas.common.invoke.Receipt;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.controller.FakeRegistry.Traits;
import io.easyfaas.controller.pool.Acquisition;
import io.easyfaas.controller.pool.Lease;
import io.easyfaas.controller.pool.Refusal;
import io.easyfaas.controller.pool.SlotState;
import io.easyfaas.controller.pool.Waiter;
import io.easyfaas.controller.registry.ResolvedFunction;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The engine's door, without HTTP.
@Timeout(60)
class DoorTest {
  private final TestController engine = new TestController(1, 512);
  private final RecordingSink sink = new RecordingSink();

  @AfterEach
  void stop() {
    engine.close();
  }

  @Test
  void aCallFromAnyThreadIsAnswered() {
    String brn = engine.registry.add("hello", Traits.of("echo"));
    ByteBuf event = Unpooled.copiedBuffer("{}", UTF_8);

    invoke(brn, CallTerms.USUAL, event, sink);

    assertThat(TestController.await(sink.answer)).isEqualTo("{}");
    engine.settle();
    assertThat(event.refCnt()).isZero();
  }

  @Test
  void workThatCanWaitIsToldToComeAgainWhileOthersWait() throws Exception {
    String brn = engine.registry.add("hello", Traits.of("hold"));
    var running = engine.invokeLater(brn, "1");
    FakeRunner.Call held = engine.funclet.awaitHeld();
    var waiting = engine.invokeLater(brn, "2");
    TestController.until(
        "a call waits", () -> engine.controller.warden().pool().usage().waiting() == 1);

    invoke(brn, CallTerms.USUAL.background(), Unpooled.buffer(), sink);

    assertThat(TestController.await(sink.failure))
        .isInstanceOfSatisfying(
            CallFailure.NotYet.class, told -> assertThat(told.why().retryAfter()).isPresent());
    held.answer("1");
    engine.funclet.awaitHeld().answer("2");
    assertThat(TestController.await(running).body()).isEqualTo("1");
    assertThat(TestController.await(waiting).body()).isEqualTo("2");
  }

  @Test
  void aCallerWithoutPatienceIsToldAndItsCallIsCancelled() throws Exception {
    String brn = engine.registry.add("hello", Traits.of("hold"));
    CallTerms terms =
        new CallTerms(
            Duration.ofMillis(1),
            CallTerms.Priority.NORMAL,
            CallTerms.LogWish.NONE,
            CallTerms.GENERIC);

    invoke(brn, terms, Unpooled.buffer(), sink);

    assertThat(TestController.await(sink.failure))
        .isInstanceOfSatisfying(
            CallFailure.ByEngine.class,
            told -> assertThat(told.why().code()).isEqualTo(ErrorCode.GATEWAY_TIMEOUT));
    TestController.until("nothing is in flight or waits", this::isQuiet);
  }

  @Test
  void anAnswerThatCannotBeTakenCostsTheRunnerNothing() {
    String brn = engine.registry.add("hello", Traits.of("echo"));
    CallSink full =
        new CallSink() {
          @Override
          public void answered(Receipt receipt, ByteBuf answer) {
            throw new OutOfMemoryError("no room for the answer");
          }

          @Override
          public void began(AnswerHead head) {}

          @Override
          public void part(ByteBuf bytes) {}

          @Override
          public void ended(Receipt receipt) {}

          @Override
          public void failed(CallFailure why) {
            sink.failed(why);
          }
        };

    invoke(brn, CallTerms.USUAL, Unpooled.buffer(), full);

    assertThat(TestController.await(sink.failure))
        .as("what the function did is done")
        .isInstanceOfSatisfying(
            CallFailure.ByEngine.class,
            told -> {
              assertThat(told.why().code()).isEqualTo(ErrorCode.UNAVAILABLE);
              assertThat(told.why().retryAfter()).isPresent();
            });
    assertThat(engine.invoke(brn, "next").body()).isEqualTo("next");
    assertThat(engine.funclet.warmups()).hasSize(1); // In the same sandbox.
  }

  @Test
  void aRefusalThatCannotBeToldIsToldAsTheEnginesFailure() {
    String brn = engine.registry.add("hello", Traits.of("echo"));
    engine.controller.warden().pool().close(); // It refuses.
    ByteBuf event = Unpooled.buffer();
    AtomicInteger told = new AtomicInteger();
    CallSink broken =
        new RecordingSink() {
          @Override
          public void failed(CallFailure why) {
            if (told.incrementAndGet() == 1) {
              throw new OutOfMemoryError("no room for the answer");
            }
            super.failed(why);
          }
        };

    invoke(brn, CallTerms.USUAL, event, broken);

    TestController.until("it is told", () -> told.get() == 2);
    assertThat(event.refCnt()).isZero();
  }

  @Test
  void aCallThatIsCancelledWhileItWaitsIsForgotten() throws Exception {
    String brn = engine.registry.add("hello", Traits.of("hold"));
    var running = engine.invokeLater(brn, "1");
    FakeRunner.Call held = engine.funclet.awaitHeld();
    ByteBuf event = Unpooled.buffer();
    Call call = invoke(brn, CallTerms.USUAL, event, sink);

    call.cancel();
    call.cancel();

    TestController.until(
        "nobody waits", () -> engine.controller.warden().pool().usage().waiting() == 0);
    TestController.until("the event is released", () -> event.refCnt() == 0);
    held.answer("1");
    assertThat(TestController.await(running).body()).isEqualTo("1");
  }

  @Test
  void aCallWhoseRunnerEndedBeforeItWasSentGetsAnother() throws Exception {
    String brn = engine.registry.add("hello", Traits.of("hold"));
    var running = engine.invokeLater(brn, "1");
    FakeRunner.Call held = engine.funclet.awaitHeld();
    ByteBuf event = Unpooled.copiedBuffer("2", UTF_8);
    var pool = engine.controller.warden().pool();
    Waiter call = (Waiter) invoke(brn, CallTerms.USUAL, event, sink);
    TestController.until("it waits", () -> pool.usage().waiting() == 1);
    SlotState.Warm warm = (SlotState.Warm) pool.slots().getFirst().state();
    assertThat(pool.withdraw(warm.function(), call)).isTrue();
    held.answer("1");
    assertThat(TestController.await(running).body()).isEqualTo("1");
    Lease given = (Lease) pool.acquire(warm.function(), call);
    engine.funclet.runner(0).close();
    TestController.until("the runner is lost", () -> !engine.states().contains("warm"));

    call.granted(given); // As by another thread, at the moment the runner ends.

    FakeRunner.Call again = engine.funclet.awaitHeld();
    assertThat(again.text()).isEqualTo("2");
    again.answer("two");
    assertThat(TestController.await(sink.answer)).isEqualTo("two");
    TestController.until("the event is released", () -> event.refCnt() == 0);
    TestController.until("nothing is in flight", () -> pool.inFlight() == 0);
  }

  @Test
  void aCallThatIsCancelledWhileItIsGrantedASlotIsNotSent() throws Exception {
    Traits holds = Traits.of("hold").concurrency(2);
    String brn = engine.registry.add("hello", holds);
    engine.funclet.holdWarmups();
    AtomicReference<Call> second = new AtomicReference<>();
    CompletableFuture<Lease> first = new CompletableFuture<>();
    Waiter canceller =
        new Waiter() {
          @Override
          public String label() {
            return "R0";
          }

          @Override
          public int weight() {
            return 0;
          }

          @Override
          public void granted(Lease lease) {
            second.get().cancel(); // It has its slot, too, and is about to hear of it.
            first.complete(lease);
          }

          @Override
          public void refused(Refusal refusal) {}
        };
    ResolvedFunction function =
        ResolvedFunction.of(
            FakeRegistry.document("hello", brn, holds),
            new RuntimeConfiguration("nodejs20", "/bin/node", "/opt", List.of(), List.of()));
    var pool = engine.controller.warden().pool();
    assertThat(pool.acquire(function, canceller)).isInstanceOf(Acquisition.Queued.class);
    ByteBuf event = Unpooled.buffer();
    second.set(invoke(brn, CallTerms.USUAL, event, sink));
    TestController.until("both wait", () -> pool.usage().waiting() == 2);

    engine.funclet.letWarmups(1);
    Lease given = first.get(20, TimeUnit.SECONDS);

    TestController.until("the other is given back", () -> event.refCnt() == 0);
    TestController.until("only one is in flight", () -> engine.inFlight() == 1);
    pool.release(given);
    engine.settle();
    assertThat(engine.funclet.isHolding()).isFalse();
  }

  private boolean isQuiet() {
    return engine.controller.warden().pool().usage().waiting() == 0;
  }

  private Call invoke(String brn, CallTerms terms, ByteBuf event, CallSink into) {
    return engine
        .controller
        .invoker()
        .invoke(
            new CallRequest(
                new FunctionReference(brn, "", Account.DEFAULT.id(), ""),
                "R1".getBytes(US_ASCII),
                terms,
                CallHeaders.NONE,
                event),
            into);
  }
}
