package io.easyfaas.common.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.budget.ByteKind;
import io.easyfaas.common.budget.Reservation;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Requests that are sent before the one in front is answered.
@Timeout(60)
final class PipeliningTest {
  private static final HttpAddress ANY_PORT = new HttpAddress.Tcp("127.0.0.1", 0);
  private static final int BUDGET_BYTES = 1024 * 1024;
  private static final int BODY_BYTES = 256 * 1024;
  private static final String WAIT = "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n";

  private final ByteBudget budget = new ByteBudget(BUDGET_BYTES);
  private final EventLoops loops = new EventLoops(1, budget, new ConnectionLimit(100));
  private final Semaphore mayAnswer = new Semaphore(0);
  private final AtomicInteger larges = new AtomicInteger();
  private final HttpServer server =
      HttpServer.start(
          ANY_PORT,
          loops,
          BODY_BYTES,
          Router.builder()
              .route("GET", "/wait", (_, _) -> waited())
              .route("POST", "/echo", (request, _) -> HttpResponse.text(200, request.text()))
              .stream(
                  "POST",
                  "/stream",
                  BodyRule.streamed(BODY_BYTES, 0),
                  (request, _) -> count(request))
              .build(),
          _ -> this::answerLarge);
  private final List<RawConnection> open = new ArrayList<>();

  @AfterEach
  void close() throws Exception {
    mayAnswer.release(1000);
    for (RawConnection each : open) {
      each.close();
    }
    until(() -> budget.usage().reserved() == 0);
    server.close();
    loops.close();
  }

  @Test
  void moreRequestsThanOneReadTakesAreAnsweredInOrder() throws Exception {
    StringBuilder requests = new StringBuilder(WAIT);
    for (int i = 0; i < 2000; i++) {
      requests.append(post("/echo", "%04d".formatted(i)));
    }
    RawConnection client = connect();
    Thread sender = Thread.ofVirtual().start(() -> send(client, requests.toString()));
    until(() -> heads() > 0);

    mayAnswer.release();

    assertThat(client.read().text()).isEqualTo("waited");
    for (int i = 0; i < 2000; i++) {
      assertThat(client.read().text()).isEqualTo("%04d".formatted(i));
    }
    sender.join();
  }

  @Test
  void whatAClientSentBeforeItClosedItsSideIsAnswered() throws Exception {
    RawConnection client =
        connect().send(WAIT + post("/echo", "one") + WAIT + post("/echo", "two")).endInput();

    mayAnswer.release(2);

    assertThat(client.read().text()).isEqualTo("waited");
    assertThat(client.read().text()).isEqualTo("one");
    assertThat(client.read().text()).isEqualTo("waited");
    assertThat(client.read().text()).isEqualTo("two");
    assertThat(client.isClosedByServer()).isTrue();
  }

  @Test
  void aRequestThatIsCutOffBehindAnotherIsNone() throws Exception {
    RawConnection client = connect().send(WAIT + "POST /echo HTT").endInput();

    mayAnswer.release();

    assertThat(client.read().text()).isEqualTo("waited");
    assertThat(new String(client.readToEnd(), UTF_8)).doesNotContain("200 OK");
  }

  @Test
  void bodiesOfEverySizeComeBehindOneThatWaits() throws Exception {
    String body = "b".repeat(100_000);
    RawConnection client = connect();
    Thread sender =
        Thread.ofVirtual()
            .start(() ->
                send(
                    client,
                    WAIT + post("/echo", body) + post("/stream", body) + post("/echo", "last")));
    until(() -> heads() > 0);

    mayAnswer.release();

    assertThat(client.read().text()).isEqualTo("waited");
    assertThat(client.read().text()).isEqualTo(body);
    assertThat(client.read().text()).isEqualTo("100000");
    assertThat(client.read().text()).isEqualTo("last");
    sender.join();
  }

  @Test
  void whoFindsNoRoomForWhatWaitsIsToldAfterTheAnswersBefore() throws Exception {
    Reservation others = budget.open(ByteKind.ANSWER, "others");
    others.add(BUDGET_BYTES);
    RawConnection client = connect().send(post("/echo", "b".repeat(8000)));
    assertThat(client.read().text()).hasSize(8000); // From now on it is read in large pieces.
    client.send(WAIT + post("/echo", "too late").repeat(500));

    mayAnswer.release();

    assertThat(client.read().text()).isEqualTo("waited");
    HttpResponse refused = client.read();
    assertThat(refused.status()).isEqualTo(503);
    assertThat(refused.header("Retry-After")).isPresent();
    assertThat(refused.text()).contains("memory for requests and answers");
    others.close();
  }

  @Test
  void whatWaitsIsGivenUpWithItsConnection() throws Exception {
    RawConnection client = connect().send(post("/echo", "b".repeat(60_000)));
    assertThat(client.read().text()).hasSize(60_000);
    client.send(WAIT + post("/echo", "never").repeat(500));
    until(() -> heads() > 0);

    client.close();
    mayAnswer.release();

    until(() -> heads() == 0);
  }

  @Test
  void whoAsksWithoutReadingIsNotAnsweredIntoMemory() throws Exception {
    int requests = 4000;
    RawConnection greedy = connect();
    Thread sender =
        Thread.ofVirtual()
            .start(() -> send(greedy, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n".repeat(requests)));
    until(() -> larges.get() > 10);
    RawConnection other = connect();
    for (int i = 0; i < 5000; i++) { // The time that it takes is its measure.
      other.send(post("/echo", "tick"));
      other.read();
    }

    assertThat(larges.get()).isLessThan(requests);
    for (int i = 0; i < requests; i++) {
      assertThat(greedy.read().text()).hasSize(8000);
    }
    sender.join();
  }

  private static String post(String path, String body) {
    return "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s"
        .formatted(path, body.length(), body);
  }

  private HttpResponse waited() {
    mayAnswer.acquireUninterruptibly();
    return HttpResponse.text(200, "waited");
  }

  /// Answers on the event loop, as calls are.
  private boolean answerLarge(Exchange exchange) {
    if (!exchange.target().equals("/large")) {
      return false;
    }
    larges.incrementAndGet();
    exchange.answer(HttpResponse.text(200, "l".repeat(8000)));
    return true;
  }

  private static HttpResponse count(HttpRequest request) {
    try {
      return HttpResponse.text(200, "" + request.stream().readAllBytes().length);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Bytes that are reserved for what waits.
  private long heads() {
    var part = budget.usage().kinds().get(ByteKind.HEAD);
    return part == null ? 0 : part.bytes();
  }

  private RawConnection connect() throws IOException {
    RawConnection connection = new RawConnection(server.port());
    open.add(connection);
    return connection;
  }

  private static void send(RawConnection connection, String text) {
    try {
      connection.send(text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Waits for what the event loop will do.
  private static void until(BooleanSupplier condition) throws InterruptedException {
    while (!condition.getAsBoolean()) {
      Thread.sleep(2);
    }
  }
}
