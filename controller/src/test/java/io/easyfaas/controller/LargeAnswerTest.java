package io.easyfaas.controller;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.budget.ByteKind;
import io.easyfaas.common.budget.Reservation;
import io.easyfaas.controller.FakeRegistry.Traits;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Answers that need room in the engine's account of bytes, from a runner's frame to the client.
@Timeout(60)
class LargeAnswerTest {
  private static final int LARGE_BYTES = 6_000_000;

  private final TestController engine = new TestController(1, 512);

  @AfterEach
  void stop() {
    engine.close();
  }

  @Test
  void anAnswerHasOneOwnerUntilItsClientHasTakenIt() throws Exception {
    String brn = engine.registry.add("hello", Traits.of("hold"));
    try (RawClient client = RawClient.narrow(engine.port())) {
      client.send(RawClient.invocation(brn, "x"));
      engine.funclet.awaitHeld().answer("x".repeat(LARGE_BYTES));

      String head = client.head();
      assertThat(answers()).as("while it is not taken").isEqualTo(LARGE_BYTES);
      assertThat(head).contains("\r\nContent-Length: " + LARGE_BYTES + "\r\n");
      assertThat(client.read(LARGE_BYTES).equals("x".repeat(LARGE_BYTES))).isTrue();
      TestController.until("the answer is nobody's any more", () -> answers() == 0);
    }
  }

  @Test
  void anAnswerThatWaitsForRoomIsNotLate() throws Exception {
    String brn = engine.registry.add("hello", Traits.of("hold"));
    Reservation others = fill();
    var call = engine.invokeLater(brn, "x");
    FakeRunner.Call held = engine.funclet.awaitHeld();
    // It is not read to its end, and so not written.
    Thread answering = Thread.ofVirtual().start(() -> held.answer("x".repeat(LARGE_BYTES)));
    TestController.until("it waits", () -> waiting() == 1);

    engine.pass(Duration.ofHours(1)); // The function was in time.
    engine.settle();
    others.close();

    assertThat(TestController.await(call).body().equals("x".repeat(LARGE_BYTES))).isTrue();
    assertThat(engine.funclet.warmups()).hasSize(1);
    answering.join();
  }

  @Test
  void anAnswerThatGetsNoRoomIsTheOnlyThingLost() throws Exception {
    String brn = engine.registry.add("hello", Traits.of("hold"));
    Reservation others = fill();
    var call = engine.invokeLater(brn, "x");
    engine.funclet.awaitHeld().answer("x".repeat(LARGE_BYTES));

    var answer = TestController.await(call);
    assertThat(answer.statusCode()).isEqualTo(503);
    assertThat(answer.headers().firstValue("Retry-After")).hasValue("1");
    assertThat(answer.body())
        .contains("memory for requests and answers: " + LARGE_BYTES + " bytes more");
    assertThat(engine.inFlight()).isZero();

    var next = engine.invokeLater(brn, "x");
    engine.funclet.awaitHeld().answer("small");
    assertThat(TestController.await(next).body()).isEqualTo("small");
    assertThat(engine.funclet.warmups()).as("sandboxes").hasSize(1);
    others.close();
  }

  private Reservation fill() {
    Reservation others = engine.bytes().open(ByteKind.BODY, "others");
    others.add(engine.bytes().total() - LARGE_BYTES / 2);
    return others;
  }

  private long answers() {
    return engine.bytes().usage().of(ByteKind.ANSWER).bytes();
  }

  private int waiting() {
    return engine.bytes().usage().of(ByteKind.ANSWER).waiting();
  }
}
