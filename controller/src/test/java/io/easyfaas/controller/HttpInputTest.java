package io.easyfaas.controller;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.controller.FakeRegistry.Traits;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// What clients may send that is not simply one good request after another.
class HttpInputTest {
  private final TestController engine = new TestController(2, 512, "--max-body", "1MiB");

  @AfterEach
  void stop() {
    engine.close();
  }

  @Test
  void pipelinedRequestsAreAnsweredInOrder() throws Exception {
    String hold = engine.registry.add("hold", Traits.of("hold"));
    String echo = engine.registry.add("echo", Traits.of("echo"));
    try (RawClient client = new RawClient(engine.port())) {
      StringBuilder all = new StringBuilder(RawClient.invocation(hold, "slow"));
      for (int i = 0; i < 50; i++) {
        all.append(RawClient.invocation(echo, "call " + i));
      }
      all.append("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
      client.send(all.toString());
      engine.funclet.awaitHeld().answer("slow answer");

      assertThat(client.answer()).endsWith("slow answer");
      for (int i = 0; i < 50; i++) {
        assertThat(client.answer()).endsWith("\r\n\r\ncall " + i);
      }
      assertThat(client.answer()).endsWith("hello controller");
    }
  }

  @Test
  void bodyOverTheLimitIsA413() throws Exception {
    String brn = engine.registry.add("echo", Traits.of("echo"));
    try (RawClient client = new RawClient(engine.port())) {
      client.send(
          "POST /v1/functions/"
              + brn
              + "/invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n");

      assertThat(client.answer())
          .startsWith("HTTP/1.1 413 ")
          .contains("RequestTooLargeException")
          .contains("at most 1048576 bytes");
      assertThat(client.isClosed()).isTrue();
    }
  }

  @Test
  void bodyOfExactlyTheLimitPasses() {
    String brn = engine.registry.add("echo", Traits.of("echo"));
    String body = "x".repeat(1 << 20);

    assertThat(engine.invoke(brn, body).body()).isEqualTo(body);
  }

  @Test
  void chunkedBodyIsCollected() throws Exception {
    String brn = engine.registry.add("echo", Traits.of("echo"));
    try (RawClient client = new RawClient(engine.port())) {
      client.send(
          RawClient.invocation(brn, "").replace("Content-Length: 0", "Transfer-Encoding: chunked"));
      client.send("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");

      assertThat(client.answer()).endsWith("abcde");
    }
  }

  @Test
  void headThatIsTooLargeIsA431() throws Exception {
    try (RawClient client = new RawClient(engine.port())) {
      client.send("GET /healthz HTTP/1.1\r\nX: " + "x".repeat(20_000) + "\r\n\r\n");

      assertThat(client.answer()).startsWith("HTTP/1.1 431 ");
    }
  }

  @Test
  void bytesThatAreNotHttpAreA400() throws Exception {
    try (RawClient client = new RawClient(engine.port())) {
      client.send("\u0001\u0002 nonsense\r\n\r\n");

      assertThat(client.answer()).startsWith("HTTP/1.1 400 ");
    }
  }

  @Test
  void headerInjectionThroughTheRequestIdIsImpossible() throws Exception {
    String brn = engine.registry.add("echo", Traits.of("echo"));
    try (RawClient client = new RawClient(engine.port())) {
      client.send(
          RawClient.invocation(brn, "x")
              .replace("Host: x", "Host: x\r\nX-Easyfaas-Request-Id: a\rSet-Cookie: b"));

      assertThat(client.answer()).doesNotContain("Set-Cookie");
    }
  }

  @Test
  void malformedEscapeIsA400() throws Exception {
    try (RawClient client = new RawClient(engine.port())) {
      client.send(RawClient.invocation("%zz", "x"));

      assertThat(client.answer()).startsWith("HTTP/1.1 400 ").contains("InvalidParameterValue");
    }
  }

  @Test
  void malformedEscapeInTheQueryIsA400() throws Exception {
    try (RawClient client = new RawClient(engine.port())) {
      client.send(RawClient.invocation("f", "x").replace("/invocations", "/invocations?a=%zz"));

      assertThat(client.answer()).startsWith("HTTP/1.1 400 ").contains("InvalidParameterValue");
    }
  }

  @Test
  void connectionCloseIsHonoured() throws Exception {
    String brn = engine.registry.add("echo", Traits.of("echo"));
    try (RawClient client = new RawClient(engine.port())) {
      client.send(
          RawClient.invocation(brn, "x").replace("Host: x", "Host: x\r\nConnection: close"));

      assertThat(client.answer()).contains("\r\nConnection: close\r\n").endsWith("x");
      assertThat(client.isClosed()).isTrue();
    }
  }

  @Test
  void http10ClientIsToldThatTheConnectionStaysOpen() throws Exception {
    String brn = engine.registry.add("echo", Traits.of("echo"));
    String request =
        RawClient.invocation(brn, "x")
            .replace("HTTP/1.1", "HTTP/1.0")
            .replace("Host: x", "Connection: keep-alive");
    try (RawClient client = new RawClient(engine.port())) {
      client.send(request + request);

      assertThat(client.answer()).contains("\r\nConnection: keep-alive\r\n");
      assertThat(client.answer()).endsWith("x");
    }
  }

  @Test
  void expectContinueIsAnswered() throws Exception {
    String brn = engine.registry.add("echo", Traits.of("echo"));
    String request = RawClient.invocation(brn, "x");
    try (RawClient client = new RawClient(engine.port())) {
      client.send(
          request
              .substring(0, request.length() - 1)
              .replace("Host: x", "Host: x\r\nExpect: 100-continue"));
      assertThat(client.answer()).startsWith("HTTP/1.1 100 Continue");
      client.send("x");

      assertThat(client.answer()).endsWith("\r\n\r\nx");
    }
  }

  @Test
  void headHasNoBody() throws Exception {
    try (RawClient client = new RawClient(engine.port())) {
      client.send(
          "HEAD /nothing HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");

      assertThat(client.head())
          .startsWith("HTTP/1.1 404 ")
          .containsPattern("(?i)content-length: [1-9]");
      assertThat(client.answer()).startsWith("HTTP/1.1 200 OK").endsWith("hello controller");
    }
  }
}
