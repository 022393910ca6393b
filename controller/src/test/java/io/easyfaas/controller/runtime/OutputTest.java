package io.easyfaas.controller.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.wire.FrameType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Whose it is what a sandbox prints.
class OutputTest {
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

  @Test
  void whatIsWrittenBeforeTheAnswerIsTheCalls() throws Exception {
    RunnerHarness.Ends ends = harness.start();
    RunnerConnection runner = harness.load(ends);
    for (int i = 1; i <= 200; i++) {
      runner.invoke(harness.call("R" + i));
      ends.next();

      // While the loop is busy, so that it finds both at once.
      CompletableFuture<Void> busy = hold();
      ends.print("x" + i);
      ends.answer(i, "done");
      busy.complete(null);

      harness.expect("R" + i + " logged x" + i, "R" + i + " answered done");
    }
  }

  @Test
  void rawOutputAndFramesKeepTheirOrder() throws Exception {
    RunnerHarness.Ends ends = harness.start();
    RunnerConnection runner = harness.load(ends);
    runner.invoke(harness.call("R1"));
    ends.next();

    ends.print("first ");
    ends.send(FrameType.LOG, 0, 1, "second ");
    harness.expect("R1 logged first ", "R1 logged second ");
    ends.print("third");
    ends.answer(1, "done");

    harness.expect("R1 logged third", "R1 answered done");
  }

  @Test
  void amongSeveralCallsNobodyCanTellSoItIsTheFunctions() throws Exception {
    RunnerHarness.Ends ends = harness.start();
    RunnerConnection runner = harness.load(ends);
    runner.invoke(harness.call("R1"));
    runner.invoke(harness.call("R2"));
    ends.next();
    ends.next();

    ends.print("whose?");
    ends.answer(1, "one");
    harness.expect("function whose?", "R1 answered one");
    ends.print("two's");
    ends.answer(2, "two");

    harness.expect("R2 logged two's", "R2 answered two");
  }

  @Test
  void betweenCallsItIsTheFunctions() throws Exception {
    RunnerHarness.Ends ends = harness.start();
    harness.load(ends);

    ends.print("tick");

    harness.expect("function tick");
  }

  @Test
  void aFrameWithoutCallIsTheOnlyCallsOrTheFunctions() throws Exception {
    RunnerHarness.Ends ends = harness.start();
    RunnerConnection runner = harness.load(ends);
    ends.send(FrameType.LOG, FrameType.FLAG_STDERR, 0, "idle");
    harness.expect("function stderr idle");
    runner.invoke(harness.call("R1"));
    ends.next();

    ends.send(FrameType.LOG, FrameType.FLAG_STDERR, 0, "in a call");

    harness.expect("R1 stderr in a call");
  }

  @Test
  void aFrameOfAnAnsweredCallIsNotTheNextOnes() throws Exception {
    RunnerHarness.Ends ends = harness.start();
    RunnerConnection runner = harness.load(ends);
    runner.invoke(harness.call("R1"));
    ends.next();
    ends.answer(1, "done");
    harness.expect("R1 answered done");
    runner.invoke(harness.call("R2"));
    ends.next();

    ends.send(FrameType.LOG, 0, 1, "late");

    harness.expect("function late");
  }

  @Test
  void whatIsPrintedWhileLoadingIsTheFunctionsAndTheFirstCalls() throws Exception {
    RunnerHarness.Ends ends = harness.start();
    RunnerConnection runner = harness.channel.awaitRunner(RunnerHarness.WAIT);
    ends.hello();
    var outcome = CompletableFuture.supplyAsync(() -> harness.load(runner));
    ends.next();
    harness.expect("loading");
    ends.print("raw ");
    ends.send(FrameType.LOG, FrameType.FLAG_STDERR, 0, "framed");
    ends.send(FrameType.READY, 0, 0, "{}");
    harness.expect("function raw ", "function stderr framed", "ready");
    assertThat(outcome.get(20, TimeUnit.SECONDS)).isEqualTo(new LoadOutcome.Ready());

    runner.invoke(harness.call("R1"));
    harness.expect("R1 logged raw ", "R1 stderr framed");
    ends.next();
    runner.invoke(harness.call("R2"));
    ends.next();
    ends.answer(1, "one");

    harness.expect("R1 answered one");
  }

  @Test
  void aFailureToLoadBringsWhatWasPrinted() throws Exception {
    assertThat(printedByAFailingLoad("why".getBytes(UTF_8))).containsExactly("why");
  }

  @Test
  void aCharacterThatAFailingLoadDoesNotEndIsPrintedAllTheSame() throws Exception {
    byte[] almost = Arrays.copyOf("€€".getBytes(UTF_8), 5);

    assertThat(printedByAFailingLoad(almost)).containsExactly("€", "\uFFFD");
  }

  private List<String> printedByAFailingLoad(byte[] text) throws Exception {
    RunnerHarness.Ends ends = harness.start();
    RunnerConnection runner = harness.channel.awaitRunner(RunnerHarness.WAIT);
    ends.hello();
    var outcome = CompletableFuture.supplyAsync(() -> harness.load(runner));
    ends.next();
    ends.output().write(text);
    ends.send(FrameType.LOAD_FAILED, 0, 0, "{}");
    LoadOutcome.Failed failed = (LoadOutcome.Failed) outcome.get(20, TimeUnit.SECONDS);
    return failed.output().stream().map(printed -> new String(printed.text(), UTF_8)).toList();
  }

  @Test
  void theLastWordsOfARunnerAreItsCalls() throws Exception {
    RunnerHarness.Ends ends = harness.start();
    RunnerConnection runner = harness.load(ends);
    runner.invoke(harness.call("R1"));
    ends.next();

    CompletableFuture<Void> busy = hold();
    ends.print("Segmentation fault");
    ends.frames().close();
    busy.complete(null);

    harness.expect("R1 logged Segmentation fault", "lost EXITED [R1]");
  }

  @Test
  void aCharacterWrittenInPiecesIsOne() throws Exception {
    RunnerHarness.Ends ends = harness.start();
    RunnerConnection runner = harness.load(ends);
    runner.invoke(harness.call("R1"));
    ends.next();
    byte[] euro = "€".getBytes(UTF_8);

    ends.output().write(euro, 0, 2);
    ends.send(FrameType.LOG, 0, 1, "framed");
    harness.expect("R1 logged framed");
    ends.output().write(euro, 2, 1);
    ends.answer(1, "done");

    harness.expect("R1 logged €", "R1 answered done");
  }

  @Test
  void recordsAndRawOutputAreInTheOrderTheyWereWrittenIn() throws Exception {
    RunnerHarness.Ends ends = harness.start();
    RunnerConnection runner = harness.load(ends);
    runner.invoke(harness.call("R1"));
    runner.invoke(harness.call("R2"));
    ends.next();
    ends.next();

    CompletableFuture<Void> busy = hold();
    ends.record(0, 1, "a");
    ends.print("b");
    ends.record(1, 2, "c");
    ends.answer(2, "two");
    ends.record(0, 1, "d");
    ends.print("e");
    ends.record(0, 0, "f");
    ends.record(0, 2, "late");
    ends.answer(1, "one");
    busy.complete(null);

    harness.expect("R1 logged a", "function b", "R2 stderr c");
    harness.expect("R1 logged d", "function e", "function f", "R2 logged late");
    harness.expect("R2 answered two", "R1 answered one");
  }

  @Test
  void aLogThatFailsCostsNoAnswerAndHidesNoEnd() throws Exception {
    RunnerHarness.Ends ends = harness.start();
    RunnerConnection runner = harness.load(ends);
    runner.invoke(harness.call("R1"));
    runner.invoke(harness.call("R2"));
    ends.next();
    ends.next();

    CompletableFuture<Void> busy = hold();
    ends.answer(1, "one"); // First: so the loop finds the output by reading ahead.
    ends.print(RunnerHarness.BROKEN);
    busy.complete(null);
    harness.expect("R1 answered one");
    runner.invoke(harness.call("R3"));
    ends.next();
    busy = hold();
    ends.frames().close();
    ends.print(RunnerHarness.BROKEN);
    busy.complete(null);

    harness.expect("lost EXITED [R2, R3]");
  }

  @Test
  void aFullPipeIsTheCallsThatFilledIt() throws Exception {
    RunnerHarness.Ends ends = harness.start();
    RunnerConnection runner = harness.load(ends);
    runner.invoke(harness.call("R1"));
    ends.next();
    CompletableFuture<Void> busy = hold();
    ends.print("x".repeat(1 << 16));
    ends.answer(1, "done");
    busy.complete(null);
    harness.expect("R1 logged " + "x".repeat(1 << 16), "R1 answered done");

    runner.invoke(harness.call("R2"));
    ends.next();
    ends.print("next");
    ends.answer(2, "done");

    harness.expect("R2 logged next", "R2 answered done");
  }

  @Test
  void whoPrintsWithoutEndWaitsAndEverythingArrives() throws Exception {
    RunnerHarness.Ends ends = harness.start();
    RunnerConnection runner = harness.load(ends);
    runner.invoke(harness.call("R1"));
    ends.next();
    byte[] chunk = "y".repeat(1 << 16).getBytes(UTF_8);
    int chunks = 3 * PrintBudget.WINDOW_BYTES / chunk.length;

    Thread.ofVirtual()
        .start(() -> {
          try {
            for (int i = 0; i < chunks; i++) {
              ends.output().write(chunk);
            }
            ends.answer(1, "done");
          } catch (IOException _) {
            // The test has failed and ended.
          }
        });

    long arrived = 0;
    String event = harness.next();
    while (event.startsWith("R1 logged ")) {
      arrived += event.length() - "R1 logged ".length();
      event = harness.next();
    }
    assertThat(event).isEqualTo("R1 answered done");
    assertThat(arrived).isEqualTo((long) chunks * chunk.length);
  }

  /// Keeps the loop busy until the future is completed.
  private CompletableFuture<Void> hold() {
    CompletableFuture<Void> done = new CompletableFuture<>();
    CompletableFuture<Void> busy = new CompletableFuture<>();
    Thread.ofVirtual()
        .start(() ->
            harness.onLoop(() -> {
              busy.complete(null);
              done.join();
            }));
    busy.join();
    return done;
  }
}
