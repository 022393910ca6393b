package io.easyfaas.controller;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.wire.FrameType;
import io.easyfaas.controller.FakeRegistry.Traits;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Answers in parts, from a runner's frames to HTTP.
@Timeout(60)
class StreamTest {
  private static final byte PARTS_END = FrameType.FLAG_LAST;
  private static final byte PARTS_BROKEN = FrameType.FLAG_LAST | FrameType.FLAG_FAILED;

  private final TestController engine = new TestController(1, 512);

  @AfterEach
  void stop() {
    engine.close();
  }

  @Test
  void partsReachTheClientAsTheyComeAndTheLogAtTheEnd() throws Exception {
    String brn = engine.registry.add("hello", Traits.of("hold"));
    try (RawClient client = new RawClient(engine.port())) {
      client.send(invocation(brn, "Log-Type: Tail\r\n"));
      FakeRunner.Call call = engine.funclet.awaitHeld();
      send(call, FrameType.CHUNK, FrameType.FLAG_HEAD, "{\"contentType\":\"text/csv\"}");
      send(call, FrameType.CHUNK, (byte) 0, "one");

      assertThat(client.head())
          .contains("\r\nContent-Type: text/csv\r\n")
          .contains("\r\nTransfer-Encoding: chunked\r\n");
      assertThat(client.read(8)).isEqualTo("3\r\none\r\n");
      send(call, FrameType.CHUNK, (byte) 0, "three");
      assertThat(client.read(10)).isEqualTo("5\r\nthree\r\n");
      send(call, FrameType.RESULT, PARTS_END, "");
      assertThat(client.head())
          .startsWith("0\r\n")
          .contains("X-Easyfaas-Function-Exectime: ")
          .contains("X-Bce-Log-Result: ");
      assertThat(engine.inFlight()).isZero();
    }
  }

  @Test
  void anAnswerThatBreaksOffEndsTheConnectionAndNotTheSandbox() throws Exception {
    String brn = engine.registry.add("hello", Traits.of("hold"));
    try (RawClient client = new RawClient(engine.port())) {
      client.send(invocation(brn, ""));
      FakeRunner.Call call = engine.funclet.awaitHeld();
      send(call, FrameType.CHUNK, (byte) 0, "one");
      send(call, FrameType.RESULT, PARTS_BROKEN, "{\"errorMessage\":\"boom\"}");

      client.head();
      assertThat(client.read(8)).isEqualTo("3\r\none\r\n");
      assertThat(client.isClosed()).isTrue();
    }
    var next = engine.invokeLater(brn, "next");
    engine.funclet.awaitHeld().answer("whole");
    assertThat(TestController.await(next).body()).isEqualTo("whole");
    assertThat(engine.funclet.warmups()).hasSize(1);
  }

  @Test
  void aDocumentWithItsLogIsNeverInParts() throws Exception {
    String brn = engine.registry.add("hello", Traits.of("hold"));
    try (RawClient client = new RawClient(engine.port())) {
      client.send(invocation(brn, "Log-To-Body: true\r\n"));
      FakeRunner.Call call = engine.funclet.awaitHeld();
      send(call, FrameType.CHUNK, (byte) 0, "one"); // Nobody asked for parts.

      assertThat(client.answer()).contains("Runtime.ExitError");
    }
  }

  private static void send(FakeRunner.Call call, byte type, byte flags, String payload) {
    call.runner().send(type, flags, call.id(), payload.getBytes(UTF_8));
  }

  private static String invocation(String brn, String headers) {
    return RawClient.invocation(brn, "x").replace("Content-Length", headers + "Content-Length");
  }
}
