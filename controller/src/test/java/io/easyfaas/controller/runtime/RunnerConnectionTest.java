package io.easyfaas.controller.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.wire.FrameType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What a runner may say when, and what the engine's own failures cost.
class RunnerConnectionTest {
  @TempDir private Path directory;
  private RunnerHarness harness;

  @BeforeEach
  void start() throws IOException {
    harness = new RunnerHarness(directory);
  }

  @AfterEach
  void stop() throws IOException {
    harness.close();
  }

  @ParameterizedTest
  @ValueSource(bytes = {FrameType.READY, FrameType.LOAD_FAILED, FrameType.RESULT, FrameType.LOG})
  void nothingIsAnsweredBeforeLoadIsWritten(byte type) throws Exception {
    RunnerHarness.Ends ends = harness.start();
    RunnerConnection runner = harness.channel.awaitRunner(RunnerHarness.WAIT);
    ends.hello();
    runner.awaitHello(RunnerHarness.WAIT);

    ends.send(type, 0, 0, "{}");

    assertThat(ends.frames().read(ByteBuffer.allocate(1))).isEqualTo(-1);
    assertThatThrownBy(() -> harness.load(runner)).isInstanceOf(RunnerException.class);
    assertThat(harness.told).doesNotContain("ready");
  }

  @Test
  void answersThatWerePreparedBeforeLoadAreRefused() throws Exception {
    RunnerHarness.Ends ends = harness.start();
    RunnerConnection runner = harness.channel.awaitRunner(RunnerHarness.WAIT);
    var outcome = CompletableFuture.supplyAsync(() -> harness.load(runner));
    harness.settle();
    ByteBuffer stuffed = ByteBuffer.allocate(1024);
    stuffed.put(RunnerHarness.frame(FrameType.HELLO, 0, 0, RunnerHarness.HELLO.getBytes(UTF_8)));
    for (int i = 0; i < 20; i++) {
      stuffed.put(RunnerHarness.frame(FrameType.PONG, 0, 0, new byte[0]));
    }
    stuffed.put(RunnerHarness.frame(FrameType.READY, 0, 0, "{}".getBytes(UTF_8)));
    stuffed.put(RunnerHarness.frame(FrameType.RESULT, 0, 1, "forged".getBytes(UTF_8)));

    ends.frames().write(stuffed.flip());

    assertThatThrownBy(outcome::join)
        .isInstanceOf(CompletionException.class)
        .hasMessageContaining("frame of type 3 is not allowed here");
    assertThat(harness.told).doesNotContain("ready");
  }

  @Test
  void aFrameBegunBeforeLoadIsRefused() throws Exception {
    RunnerHarness.Ends ends = harness.start();
    RunnerConnection runner = harness.channel.awaitRunner(RunnerHarness.WAIT);
    ends.hello();
    ends.frames().write(ByteBuffer.wrap(new byte[] {0, 0, 0}));
    runner.awaitHello(RunnerHarness.WAIT);
    for (int turn = 0; turn < 10; turn++) { // The loop reads between two turns of its tasks.
      Thread.sleep(5);
      harness.settle();
    }

    assertThatThrownBy(() -> harness.load(runner)).hasMessageContaining("more than HELLO");
  }

  @Test
  void aCallThatARunnerHasNotReadBeforeItEndedIsNoneOfTheFunctions() throws Exception {
    RunnerHarness.Ends ends = harness.start();
    RunnerConnection runner = harness.load(ends);
    runner.invoke(harness.call("R1"));
    ends.next();
    ends.answer(1, "one");
    harness.expect("R1 answered one");
    ends.frames().stopReading();
    runner.invoke(harness.call("R2"));
    for (int turn = 0; turn < 3; turn++) { // It is sent at the end of the loop's turn.
      harness.settle();
    }

    ends.frames().close();

    harness.expect("lost EXITED []");
    assertThat(harness.next())
        .startsWith("R2 failed in the engine: ")
        .contains("before it read it");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whereItIsNotKnownWhichCallWasReadAllAreTheFunctions(boolean isCancelled) throws Exception {
    RunnerHarness.Ends ends = harness.start();
    RunnerConnection runner = harness.load(ends);
    RecordedCall first = harness.call("R1");
    runner.invoke(first);
    ends.next();
    ends.frames().stopReading();
    if (isCancelled) {
      runner.cancel(first);
    } else {
      runner.invoke(harness.call("R2"));
    }
    for (int turn = 0; turn < 3; turn++) {
      harness.settle();
    }

    ends.frames().close();

    harness.expect("lost EXITED [R1" + (isCancelled ? "]" : ", R2]"));
  }

  @Test
  void aCallThatTheEngineCannotTakeTheAnswerOfIsTheOnlyOneThatFails() throws Exception {
    RunnerHarness.Ends ends = harness.start();
    RunnerConnection runner = harness.load(ends);
    runner.invoke(
        harness
            .call("R1")
            .onAnswer(() -> {
              throw new OutOfMemoryError("direct memory");
            }));
    runner.invoke(harness.call("R2"));
    ends.next();
    ends.next();

    ends.answer(1, "one");
    ends.answer(2, "two");

    harness.expect("R1 failed in the engine: direct memory", "R2 answered two");
    assertThat(runner.inFlight()).isZero();
    runner.invoke(harness.call("R3"));
    assertThat(ends.next()).isEqualTo(FrameType.INVOKE);
  }

  @Test
  void aCallAbandonedBeforeItWasSentIsCancelledBehindItsInvoke() throws Exception {
    RunnerHarness.Ends ends = harness.start();
    RunnerConnection runner = harness.load(ends);
    RecordedCall call = harness.call("R1").abandon();

    runner.cancel(call); // Comes first, from another thread.
    harness.settle();
    runner.invoke(call);

    assertThat(ends.next()).isEqualTo(FrameType.INVOKE);
    assertThat(ends.next()).isEqualTo(FrameType.CANCEL);
  }

  @Test
  void callsAreToldWhateverFailsWhenTheirRunnerIsLost() throws Exception {
    RunnerHarness.Ends ends = harness.start();
    RunnerConnection runner = harness.load(ends);
    harness.breaksAt = "lost";
    runner.invoke(harness.call("R1"));
    ends.next();

    ends.send(FrameType.PONG, 0, 1, "x".repeat(70_000));

    harness.expect("lost BROKE_PROTOCOL [R1]", "R1 failed in the engine: a defect");
  }

  @Test
  void aRunnerMayNotAnswerWhatItHasNotRead() throws Exception {
    RunnerHarness.Ends ends = harness.start();
    RunnerConnection runner = harness.load(ends);
    ends.frames().stopReading();
    runner.invoke(new RecordedCall("R1", "x".repeat(4 << 20), harness.told));
    harness.settle();
    ends.answer(1, "what it has not read");
    harness.expect("R1 answered what it has not read");

    runner.invoke(harness.call("R2"));

    harness.expect("lost BROKE_PROTOCOL []", "lost EXITED [R2]");
  }

  @Test
  void aFrameThatTricklesIsNoSignOfLife() throws Exception {
    RunnerHarness.Ends ends = harness.start();
    RunnerConnection runner = harness.load(ends);
    ByteBuffer log = RunnerHarness.frame(FrameType.LOG, 0, 0, new byte[100]);

    for (int i = 0; i < 2; i++) {
      ends.frames().write(log.slice(i, 1));
      harness.settle();
      harness.laterNanos.addAndGet(Duration.ofSeconds(9).toNanos());
      runner.check();
    }
    assertThat(ends.next()).isEqualTo(FrameType.PING);
    harness.laterNanos.addAndGet(PingWatch.PONG_WAIT.toNanos());
    runner.check();

    harness.expect("lost SILENT []");
  }

  @Test
  void nobodyCanSendDescriptorsToIt() throws Exception {
    RunnerHarness.Ends ends = harness.start();
    harness.load(ends);

    assertThatExceptionOfType(IOException.class)
        .as("since Linux 6.16")
        .isThrownBy(() -> ends.frames().send(harness.output()))
        .withMessageContaining("Operation not permitted");
  }

  @Test
  void garbageWhileLoadingIsTheFunctionsDoing() throws Exception {
    RunnerHarness.Ends ends = harness.start();
    RunnerConnection runner = harness.channel.awaitRunner(RunnerHarness.WAIT);
    ends.hello();
    CompletableFuture<LoadOutcome> outcome =
        CompletableFuture.supplyAsync(() -> harness.load(runner));
    ends.next();

    ends.print("last words");
    ends.send(FrameType.RESULT, 0, 1, "{}");

    assertThat(outcome.get(20, TimeUnit.SECONDS))
        .isInstanceOfSatisfying(
            LoadOutcome.BrokeProtocol.class,
            broken -> {
              assertThat(broken.detail()).contains("type 6");
              assertThat(broken.output()).hasSize(1);
            });
  }

  @Test
  void aListenerThatFailsCostsNoRunner() throws Exception {
    RunnerHarness.Ends ends = harness.start();
    RunnerConnection runner = harness.load(ends);
    runner.invoke(harness.call("R1").onAnswer(RunnerConnectionTest::defect));
    ends.next();
    ends.answer(1, "one");
    harness.expect("R1 failed in the engine: a defect");

    runner.invoke(harness.call("R2"));
    ends.next();
    ends.answer(2, "two");

    harness.expect("R2 answered two");
  }

  @ParameterizedTest
  @ValueSource(strings = {"nothing", "timed out"})
  void callsAreToldThatTheirTimeIsOverWhateverFailsWithOthers(String breaksAt) throws Exception {
    RunnerHarness.Ends ends = harness.start();
    RunnerConnection runner = harness.load(ends);
    harness.breaksAt = breaksAt;
    invokeTwo(runner, ends);

    harness.laterNanos.set(TimeUnit.SECONDS.toNanos(61));
    runner.check();

    harness.expect("timed out", "R1 failed in the engine: a defect", "R2 timed out");
  }

  @Test
  void callsAreToldThatTheirRunnerIsLostWhateverFailsWithOthers() throws Exception {
    RunnerHarness.Ends ends = harness.start();
    RunnerConnection runner = harness.load(ends);
    harness.breaksAt = "lost";
    invokeTwo(runner, ends);

    ends.send(FrameType.PONG, 0, 1, "x".repeat(70_000));

    harness.expect(
        "lost BROKE_PROTOCOL [R1, R2]",
        "R1 failed in the engine: a defect",
        "R2 failed in the engine: a defect");
  }

  @Test
  void callsAreToldWhateverFailsWhenTheirRunnerIsDiscarded() throws Exception {
    RunnerHarness.Ends ends = harness.start();
    RunnerConnection runner = harness.load(ends);
    invokeTwo(runner, ends);

    harness.channel.end();

    harness.expect(
        "R1 failed in the engine: a defect",
        "R2 failed in the engine: ServiceUnavailableException: the engine has ended the call",
        "function ended");
  }

  @Test
  void aCallIsAnsweredThoughItsRunnerCannotBeTakenOutOfUse() throws Exception {
    RunnerHarness.Ends ends = harness.start();
    RunnerConnection runner = harness.load(ends);
    harness.breaksAt = "ending";
    runner.invoke(harness.call("R1"));
    ends.next();

    ends.send(FrameType.RESULT, FrameType.FLAG_ENDING, 1, "one");

    harness.expect("ending", "R1 answered one");
  }

  @Test
  void aCallThatComesBeforeTheFunctionIsToldSo() throws Exception {
    RunnerHarness.Ends ends = harness.start();
    RunnerConnection runner = harness.channel.awaitRunner(RunnerHarness.WAIT);
    ends.hello();

    runner.invoke(harness.call("R1"));

    assertThat(harness.next()).startsWith("R1 failed in the engine: c0: a call before");
  }

  @Test
  void aCallThatCannotBeSentIsToldSo() throws Exception {
    RunnerHarness.Ends ends = harness.start();
    RunnerConnection runner = harness.load(ends);

    runner.invoke(harness.call("R1").onEvent(RunnerConnectionTest::defect));
    runner.invoke(harness.call("R2"));

    harness.expect("R1 failed in the engine: a defect");
    assertThat(ends.next()).isEqualTo(FrameType.INVOKE);
    ends.answer(1, "two");
    harness.expect("R2 answered two");
  }

  /// Has two calls run, of which the first fails when it is told its end.
  private void invokeTwo(RunnerConnection runner, RunnerHarness.Ends ends) throws Exception {
    runner.invoke(harness.call("R1").onOtherEnd(RunnerConnectionTest::defect));
    runner.invoke(harness.call("R2"));
    ends.next();
    ends.next();
  }

  private static void defect() {
    throw new IllegalStateException("a defect");
  }
}
