package io.easyfaas.httptrigger;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.budget.ByteKind;
import io.easyfaas.common.budget.Reservation;
import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.http.ConnectionLimit;
import io.easyfaas.common.http.EventLoops;
import io.easyfaas.common.http.HttpAddress;
import io.easyfaas.common.http.HttpClient;
import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.invoke.AnswerHead;
import io.easyfaas.common.invoke.CallFailure;
import io.easyfaas.common.invoke.Receipt;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.httptrigger.FakeInvoker.Held;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The trigger in the engine's own process: in front of a door, without a connection between.
@Timeout(60)
final class TriggerDoorTest {
  private static final Duration LONG = Duration.ofSeconds(30);
  private static final HttpAddress.Tcp ANY_PORT = new HttpAddress.Tcp("127.0.0.1", 0);

  @SuppressWarnings("NullAway.Init")
  private static EventLoops loops;

  private final FakeInvoker door = new FakeInvoker();
  private final HttpTrigger trigger =
      HttpTrigger.start(
          new HttpTriggerConfig(ANY_PORT, ANY_PORT, "bj", LONG, ByteSize.parse("4MiB")),
          loops,
          door);
  private final HttpClient client = new HttpClient(trigger.address(), loops);
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

  private record Event(String body, boolean isBase64Encoded) {}

  @BeforeAll
  static void startLoops() {
    loops = new EventLoops(1);
  }

  @AfterEach
  void stop() {
    client.close();
    trigger.close();
    threads.shutdownNow();
  }

  @AfterAll
  static void closeLoops() {
    loops.close();
  }

  @Test
  void theUrlSaysWhatIsCalledAndInWhoseName() throws Exception {
    Future<HttpResponse> response =
        send(
            HttpRequest.of("POST", "/u/hello/7", "{}".getBytes(UTF_8))
                .withHeader("X-Easyfaas-Request-Id", "R"));

    Held call = door.next();
    assertThat(call.request.function().name()).endsWith(":function:hello:7");
    assertThat(call.request.function().account()).isEqualTo("u");
    assertThat(call.request.terms().trigger()).isEqualTo("faas-http-trigger");
    assertThat(call.request.terms().patience()).isEqualTo(LONG);
    assertThat(Json.CAMEL.read(call.event(), Event.class).body()).isEqualTo("{}");
    call.answer("{\"statusCode\":201,\"body\":\"made\"}");

    assertThat(response.get().status()).isEqualTo(201);
    assertThat(response.get().text()).isEqualTo("made");
    assertThat(response.get().header("X-Easyfaas-Request-Id")).contains("R");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 32 * 1024, 32 * 1024 + 1, 3 << 20})
  void bodiesOfAllSizesGoInAndOut(int size) throws Exception {
    String body = "é\n".repeat(size / 3);
    Future<HttpResponse> response = send(HttpRequest.of("POST", "/u/hello", body.getBytes(UTF_8)));

    Held call = door.next();
    assertThat(Json.CAMEL.read(call.event(), Event.class).body()).isEqualTo(body);
    call.answer(Json.CAMEL.writeText(Map.of("statusCode", 200, "body", body)));

    assertThat(response.get().text()).isEqualTo(body);
  }

  @Test
  void aClientThatLeavesCancelsItsCall() throws Exception {
    Held call;
    try (Socket leaving = new Socket(InetAddress.getLoopbackAddress(), trigger.port())) {
      leaving.getOutputStream().write("GET /u/f HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(UTF_8));
      call = door.next();
    }

    assertThat(call.cancelled.await(20, TimeUnit.SECONDS)).isTrue();
    call.event();
  }

  @Test
  void aTriggerThatStopsAnswersWhatIsInFlightAndRefusesTheRest() throws Exception {
    try (Socket inFlight = connect();
        Socket late = connect();
        Socket probe = connect()) {
      inFlight.getOutputStream().write("GET /u/f HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(UTF_8));
      Held call = door.next();
      Future<?> closing = threads.submit(trigger::close);
      awaitNotReady();
      late.getOutputStream().write("GET /u/f HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(UTF_8));
      assertThat(rest(late))
          .startsWith("HTTP/1.1 503 ")
          .contains("Retry-After: 1")
          .containsIgnoringCase("Connection: close");
      probe.getOutputStream().write("GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(UTF_8));
      assertThat(rest(probe)).startsWith("HTTP/1.1 503 ");
      call.event();
      call.answer("the answer");

      assertThat(rest(inFlight))
          .startsWith("HTTP/1.1 200 ")
          .containsIgnoringCase("Connection: close")
          .endsWith("the answer");
      closing.get();
    }
  }

  @Test
  void aFloodOfBodiesWaitsForTheMemoryThereIs() throws Exception {
    long total = 16 << 20;
    int calls = 20;
    byte[] body = "x".repeat(2 << 20).getBytes(UTF_8);
    ByteBudget budget = new ByteBudget(total);
    try (EventLoops few = new EventLoops(1, budget, new ConnectionLimit(100));
        HttpTrigger flooded =
            HttpTrigger.start(
                new HttpTriggerConfig(ANY_PORT, ANY_PORT, "bj", LONG, ByteSize.parse("4MiB")),
                few,
                door);
        HttpClient flood = new HttpClient(flooded.address(), loops)) {
      List<Future<HttpResponse>> responses = new ArrayList<>();
      for (int i = 0; i < calls; i++) {
        HttpRequest request = HttpRequest.of("POST", "/u" + i % 2 + "/hello", body);
        responses.add(threads.submit(() -> flood.send(request, LONG)));
      }

      AtomicLong most = new AtomicLong();
      var _ =
          threads.submit(() -> {
            while (true) {
              Held call = door.next();
              most.accumulateAndGet(budget.usage().reserved(), Math::max);
              call.event();
              call.answer("done");
            }
          });

      int done = 0;
      for (Future<HttpResponse> response : responses) {
        if (response.get().status() == 200) {
          done++;
        } else { // It waited longer than anybody should.
          assertThat(response.get().status()).isEqualTo(503);
          assertThat(response.get().header("Retry-After")).isPresent();
        }
      }
      assertThat(done).isPositive();
      assertThat(most.get()).isPositive().isLessThanOrEqualTo(total);
    }
    awaitNothingReserved();
  }

  @ParameterizedTest
  @ValueSource(strings = {"x", "\""})
  void anEventTakesAsMuchMemoryAsItHasBytes(String character) throws Exception {
    byte[] body = character.repeat(2 << 20).getBytes(UTF_8);
    Future<HttpResponse> response = send(HttpRequest.of("POST", "/u/hello", body));

    Held call = door.next();
    long reserved = loops.budget().usage().of(ByteKind.BODY).bytes();
    int bytes = call.event().length();
    assertThat(reserved).isBetween(bytes - 1024L, bytes + 4096L);
    call.answer("done");
    assertThat(response.get().status()).isEqualTo(200);
    awaitNothingReserved();
  }

  /// The client may have its answer before the loop that sent it has given the memory back.
  private void awaitNothingReserved() throws InterruptedException {
    long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (loops.budget().usage().reserved() > 0 && System.nanoTime() < deadline) {
      Thread.sleep(1);
    }
    assertThat(loops.budget().usage().reserved()).isZero();
  }

  @Test
  void aTranslatedAnswerHasAnOwner() throws Exception {
    Future<HttpResponse> response = send(HttpRequest.of("GET", "/u/hello"));
    Held call = door.next();
    Reservation others = loops.budget().open(ByteKind.BODY, "others");
    others.add(loops.budget().total());
    try {
      assertThat(call.event()).isNotEmpty();

      call.answer(
          "{\"statusCode\":200,\"isBase64Encoded\":true,\"body\":\""
              + "AAAA".repeat(50_000)
              + "\"}");

      assertThat(response.get().status()).isEqualTo(503);
      assertThat(response.get().text()).contains("memory for requests and answers");
    } finally {
      others.close();
    }
  }

  @Test
  void isReadyWhileItRuns() throws Exception {
    assertThat(send(HttpRequest.of("GET", "/readyz")).get().status()).isEqualTo(200);
  }

  @Test
  void anAnswerInPartsIsPassedOnAsItComes() throws Exception {
    try (Socket socket = connect()) {
      socket
          .getOutputStream()
          .write("GET /u/f HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".getBytes(UTF_8));
      Held call = door.next();
      call.event();
      call.sink.began(AnswerHead.NONE);
      call.sink.part(Unpooled.copiedBuffer("one", UTF_8));
      call.sink.ended(new Receipt(false, 1, ""));

      assertThat(rest(socket)).startsWith("HTTP/1.1 200 ").contains("\r\n\r\n3\r\none\r\n0\r\n");
    }
  }

  @Test
  void aHeadOfAnAnswerInPartsHasNoBody() throws Exception {
    try (Socket socket = connect()) {
      socket
          .getOutputStream()
          .write(
              "HEAD /u/f HTTP/1.1\r\nHost: x\r\n\r\nGET /u/f HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                  .getBytes(UTF_8));
      Held call = door.next();
      call.event();
      call.sink.began(AnswerHead.NONE);
      call.sink.part(Unpooled.copiedBuffer("one", UTF_8));
      call.sink.ended(new Receipt(false, 1, ""));
      Held next = door.next();
      next.event();
      next.answer("two");

      String all = rest(socket);
      assertThat(all).doesNotContain("one");
      assertThat(all.substring(all.indexOf("\r\n\r\n") + 4)).startsWith("HTTP/1.1 200 ");
      assertThat(call.taken).as("the function may send more").hasValue(3);
    }
  }

  @Test
  void failuresAreToldByWhoseFaultTheyAre() throws Exception {
    assertThat(failing(ErrorCode.RESOURCE_NOT_FOUND).status()).isEqualTo(404);
    assertThat(failing(ErrorCode.TOO_MANY_REQUESTS).header("Retry-After")).contains("1");
    assertThat(failing(ErrorCode.UNAVAILABLE).status()).isEqualTo(503);
    assertThat(failing(ErrorCode.GATEWAY_TIMEOUT).status()).isEqualTo(504);
    HttpResponse broken = failing(ErrorCode.SERVICE);
    assertThat(broken.status()).isEqualTo(502);
    assertThat(broken.text()).contains("InternalException").contains("ServiceException");
  }

  private HttpResponse failing(ErrorCode code) throws Exception {
    Future<HttpResponse> response = send(HttpRequest.of("GET", "/u/f"));
    Held call = door.next();
    call.event();
    call.sink.failed(CallFailure.of(new ApiException(code, "why")));
    return response.get();
  }

  private void awaitNotReady() throws Exception {
    while (send(HttpRequest.of("GET", "/readyz")).get().status() == 200) {
      Thread.onSpinWait();
    }
  }

  private Future<HttpResponse> send(HttpRequest request) {
    Callable<HttpResponse> sending = () -> client.send(request, LONG);
    return threads.submit(sending);
  }

  private Socket connect() throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), trigger.port());
    socket.setSoTimeout((int) LONG.toMillis());
    return socket;
  }

  private static String rest(Socket socket) throws IOException {
    return new String(socket.getInputStream().readAllBytes(), ISO_8859_1);
  }
}
