package io.easyfaas.controller.call;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.http.EventLoops;
import io.easyfaas.common.http.HttpAddress;
import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.http.HttpServer;
import io.easyfaas.common.invoke.AnswerHead;
import io.easyfaas.common.invoke.CallFailure;
import io.easyfaas.common.invoke.CallTerms;
import io.easyfaas.common.invoke.FunctionReference;
import io.easyfaas.common.invoke.Receipt;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.controller.call.FakeInvoker.Held;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The invoke API in front of a door behind which the test answers.
@Timeout(60)
class InvokeFrontTest {
  private static final Receipt RECEIPT = new Receipt(false, 1_234_567, "the log");

  @SuppressWarnings("NullAway.Init")
  private static EventLoops loops;

  private final FakeInvoker door = new FakeInvoker();
  private final InvokeFront front = new InvokeFront(loops);
  private final HttpServer server =
      HttpServer.start(
          new HttpAddress.Tcp("127.0.0.1", 0),
          loops,
          1 << 20,
          _ -> HttpResponse.text(404, "nobody"),
          front::handler);

  InvokeFrontTest() {
    front.open(door);
  }

  @BeforeAll
  static void startLoops() {
    loops = new EventLoops(1);
  }

  @AfterEach
  void stop() {
    server.close();
    front.close();
  }

  @AfterAll
  static void closeLoops() {
    loops.close();
  }

  private record Body(@Nullable String functionError, @Nullable String logResult, String payload) {}

  @Test
  void theRequestSaysWhatTheCallIs() throws Exception {
    try (Socket client = connect()) {
      send(
          client,
          """
          POST /v1/functions/f/invocations?Qualifier=7&logType=Tail HTTP/1.1\r
          Host: x\r
          X-Easyfaas-Account-Id: me\r
          Authorization: key\r
          X-Easyfaas-Request-Id: R\r
          X-Easyfaas-Faas-Trigger: Mine\r
          Traceparent: 00-a-b-01\r
          Tracestate: v=1\r
          X-Easyfaas-Client-Context: e30=\r
          Content-Length: 0\r
          \r
          """);

      Held call = door.next();

      assertThat(call.request.function().name()).isEqualTo("f");
      assertThat(call.request.function().qualifier()).isEqualTo("7");
      assertThat(call.request.function().account()).isEqualTo("me");
      assertThat(call.request.function().authorization()).isEqualTo("key");
      assertThat(new String(call.request.requestId(), ISO_8859_1)).isEqualTo("R");
      assertThat(call.request.terms().log()).isEqualTo(CallTerms.LogWish.TAIL);
      assertThat(call.request.terms().trigger()).isEqualTo("mine");
      assertThat(call.request.headers().traceparent()).isEqualTo("00-a-b-01");
      assertThat(call.request.headers().tracestate()).isEqualTo("v=1");
      assertThat(call.request.headers().clientContext()).isEqualTo("{}");
    }
  }

  @Test
  void aWholeAnswerHasItsLength() throws Exception {
    try (Socket client = connect()) {
      invoke(client, "Connection: close\r\n");
      door.next().sink.answered(new Receipt(true, 1_234_567, ""), bytes("answer"));

      assertThat(rest(client))
          .startsWith("HTTP/1.1 200 OK\r\n")
          .contains("\r\nX-Easyfaas-Function-Exectime: 1.234\r\n")
          .contains("\r\nX-Easyfaas-Function-Error: Unhandled\r\n")
          .contains("\r\nContent-Length: 6\r\n")
          .endsWith("\r\n\r\nanswer");
    }
  }

  @Test
  void anAnswerInPartsTravelsInChunksAndEndsWithWhatCameOut() throws Exception {
    try (Socket client = connect()) {
      invoke(client, "X-Easyfaas-Request-Id: R\r\nConnection: close\r\n");
      Held call = door.next();
      call.sink.began(AnswerHead.NONE);
      call.sink.part(bytes("one"));
      call.sink.part(bytes("three"));
      call.sink.ended(RECEIPT);

      String answer = rest(client);
      assertThat(answer)
          .startsWith("HTTP/1.1 200 OK\r\n")
          .contains("\r\nX-Easyfaas-Request-Id: R\r\n")
          .contains("\r\nTransfer-Encoding: chunked\r\n")
          .contains("\r\n\r\n3\r\none\r\n5\r\nthree\r\n0\r\n")
          .contains("X-Easyfaas-Function-Exectime: 1.234\r\n")
          .endsWith("X-Bce-Log-Result: dGhlIGxvZw==\r\n\r\n");
      assertThat(answer).doesNotContain("Content-Length");
    }
  }

  @Test
  void thePartsOfAKnownLengthAreNoChunks() throws Exception {
    try (Socket client = connect()) {
      invoke(client, "Connection: close\r\n");
      Held call = door.next();
      call.sink.began(new AnswerHead(0, "", Map.of(), 8));
      call.sink.part(bytes("one"));
      call.sink.part(bytes("three"));
      call.sink.ended(RECEIPT);

      assertThat(rest(client)).contains("\r\nContent-Length: 8\r\n").endsWith("\r\n\r\nonethree");
    }
  }

  @Test
  void toAnOldClientTheEndOfTheConnectionIsTheEndOfTheParts() throws Exception {
    try (Socket client = connect()) {
      send(
          client,
          """
          POST /v1/functions/f/invocations HTTP/1.0\r
          Connection: keep-alive\r
          Content-Length: 0\r
          \r
          """);
      Held call = door.next();
      call.sink.began(AnswerHead.NONE);
      call.sink.part(bytes("one"));
      call.sink.ended(RECEIPT);

      assertThat(rest(client))
          .contains("\r\nConnection: close\r\n")
          .doesNotContain("Transfer-Encoding")
          .endsWith("\r\n\r\none");
    }
  }

  @Test
  void theNextRequestIsAnsweredAfterTheLastPart() throws Exception {
    try (Socket client = connect()) {
      invoke(client, "");
      invoke(client, "Connection: close\r\n");
      Held first = door.next();
      first.sink.began(new AnswerHead(0, "", Map.of(), 3));
      first.sink.part(bytes("one"));
      first.sink.ended(RECEIPT);
      door.next().sink.answered(RECEIPT, bytes("two"));

      String answers = rest(client);
      assertThat(answers.indexOf("\r\n\r\none")).isPositive().isLessThan(answers.indexOf("two"));
    }
  }

  @Test
  void anAnswerThatFailsHalfWayIsBrokenOff() throws Exception {
    for (CallFailure failure :
        List.of(
            new CallFailure.ByFunction(RECEIPT, "{}".getBytes(UTF_8)),
            CallFailure.of(new ApiException(ErrorCode.SERVICE, "")))) {
      try (Socket client = connect()) {
        invoke(client, "");
        Held call = door.next();
        call.sink.began(AnswerHead.NONE);
        call.sink.part(bytes("one"));
        call.sink.failed(failure);

        assertThat(rest(client)).endsWith("\r\n\r\n3\r\none\r\n"); // Without the last chunk.
      }
    }
  }

  @Test
  void anOldClientIsToldByAResetThatItsAnswerIsBrokenOff() throws Exception {
    try (Socket client = connect()) {
      send(client, "POST /v1/functions/f/invocations HTTP/1.0\r\nContent-Length: 0\r\n\r\n");
      Held call = door.next();
      call.sink.began(AnswerHead.NONE);
      call.sink.part(bytes("one"));
      call.sink.failed(CallFailure.of(new ApiException(ErrorCode.SERVICE, "")));

      assertThatThrownBy(() -> rest(client)).isInstanceOf(SocketException.class);
    }
  }

  @Test
  void partsAreTakenWhenTheClientHasThem() throws Exception {
    ByteBuf part = Unpooled.wrappedBuffer(new byte[1 << 20]);
    try (Socket client = new Socket()) {
      client.setReceiveBufferSize(64 * 1024);
      client.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), server.port()));
      invoke(client, "Connection: close\r\n");
      Held call = door.next();
      call.sink.began(new AnswerHead(0, "", Map.of(), 16L << 20));
      for (int i = 0; i < 16; i++) {
        call.sink.part(part);
      }
      settle();
      long takenUnread = call.taken.get();

      client.getInputStream().skipNBytes(16L << 20);

      assertThat(takenUnread).isLessThan(16L << 20);
      until(() -> call.taken.get() == 16L << 20);
      call.sink.ended(RECEIPT);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"Qualifier", "X-Easyfaas-Account-Id", "Authorization"})
  void aConnectionKeepsNothingThatItsClientMadeLong(String what) throws Exception {
    String text = "A".repeat(4000);
    boolean isQuery = what.equals("Qualifier");
    String request =
        """
        POST /v1/functions/f/invocations?%s HTTP/1.1\r
        Host: x\r
        Content-Length: 0\r
        %s\r
        """
            .formatted(
                isQuery ? what + "=" + text : "", isQuery ? "" : what + ": " + text + "\r\n");
    try (Socket client = connect()) {
      send(client, request);

      WeakReference<String> kept = answerAndForget(what);

      until(() -> {
        System.gc();
        return kept.refersTo(null);
      });
      invoke(client, "Connection: close\r\n"); // Over the same connection.
      door.next().sink.answered(RECEIPT, bytes("ok"));
      assertThat(rest(client)).endsWith("ok");
    }
  }

  private WeakReference<String> answerAndForget(String what) throws InterruptedException {
    Held call = door.next();
    FunctionReference function = call.request.function();
    call.sink.answered(RECEIPT, bytes("answer"));
    String text =
        switch (what) {
          case "Qualifier" -> function.qualifier();
          case "Authorization" -> function.authorization();
          default -> function.account();
        };
    assertThat(text).hasSize(4000);
    return new WeakReference<>(text);
  }

  @Test
  void aClientThatLeavesCancelsItsCall() throws Exception {
    Held call;
    try (Socket client = connect()) {
      invoke(client, "");
      call = door.next();
    }

    assertThat(call.cancelled.await(20, TimeUnit.SECONDS)).isTrue();
    ByteBuf late = bytes("late");
    call.sink.answered(RECEIPT, late);
    settle();
    assertThat(late.refCnt()).isEqualTo(1);
  }

  @Test
  void waitingIsAdvisedOnlyWhereItHelps() throws Exception {
    ApiException never =
        new ApiException(ErrorCode.TOO_MANY_REQUESTS, "", List.of(), Optional.empty());
    try (Socket client = connect()) {
      invoke(client, "");
      door.next().sink.failed(CallFailure.of(new ApiException(ErrorCode.UNAVAILABLE, "")));
      invoke(client, "Connection: close\r\n");
      door.next().sink.failed(CallFailure.of(never));

      String answers = rest(client);
      int second = answers.indexOf("HTTP/1.1 429");
      assertThat(answers.substring(0, second))
          .startsWith("HTTP/1.1 503 ")
          .contains("Retry-After: 1");
      assertThat(answers.substring(second)).doesNotContain("Retry-After");
    }
  }

  @Test
  void anAnswerThatGrowsSixfoldInItsDocumentArrivesWhole() throws Exception {
    byte[] payload = new byte[6 << 20];
    for (int i = 0; i < payload.length; i++) {
      payload[i] = (byte) (i % 31 + 1); // Most of them become six characters.
    }
    try (Socket client = connect()) {
      invoke(client, "Log-To-Body: true\r\nConnection: close\r\n");
      ByteBuf answer = Unpooled.wrappedBuffer(payload);
      door.next().sink.answered(RECEIPT, answer);

      String whole = rest(client);
      Body body = Json.PASCAL.read(unchunked(whole), Body.class);
      assertThat(body.payload().getBytes(ISO_8859_1)).isEqualTo(payload);
      assertThat(body.logResult()).isEqualTo("the log");
      until(() -> answer.refCnt() == 1);
    }
  }

  @Test
  void aWriterWhoseClientLeavesEndsAndGivesTheAnswerBack() throws Exception {
    ByteBuf answer = Unpooled.wrappedBuffer(new byte[6 << 20]);
    try (Socket client = connect()) {
      invoke(client, "Log-To-Body: true\r\n");
      door.next().sink.answered(RECEIPT, answer);
      client.getInputStream().read();
    }

    until(() -> answer.refCnt() == 1);
  }

  private static byte[] unchunked(String answer) {
    StringBuilder body = new StringBuilder();
    int at = answer.indexOf("\r\n\r\n") + 4;
    while (true) {
      int line = answer.indexOf("\r\n", at);
      int size = Integer.parseInt(answer.substring(at, line), 16);
      if (size == 0) {
        return body.toString().getBytes(ISO_8859_1);
      }
      body.append(answer, line + 2, line + 2 + size);
      at = line + 2 + size + 2;
    }
  }

  private Socket connect() throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
    socket.setSoTimeout(20_000);
    return socket;
  }

  private static void invoke(Socket client, String headers) throws IOException {
    send(
        client,
        "POST /v1/functions/f/invocations HTTP/1.1\r\nHost: x\r\n"
            + headers
            + "Content-Length: 0\r\n\r\n");
  }

  private static void send(Socket client, String text) throws IOException {
    client.getOutputStream().write(text.getBytes(ISO_8859_1));
  }

  private static String rest(Socket client) throws IOException {
    return new String(client.getInputStream().readAllBytes(), ISO_8859_1);
  }

  private static ByteBuf bytes(String text) {
    return Unpooled.copiedBuffer(text, UTF_8);
  }

  private static void settle() {
    loops.group().forEach(loop -> loop.submit(() -> {}).awaitUninterruptibly());
  }

  private static void until(BooleanSupplier condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - deadline > 0) {
        throw new AssertionError("not in 20s");
      }
      LockSupport.parkNanos(100_000);
    }
  }
}
