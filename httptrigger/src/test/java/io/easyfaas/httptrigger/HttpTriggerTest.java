package io.easyfaas.httptrigger;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.http.EventLoops;
import io.easyfaas.common.http.HttpAddress;
import io.easyfaas.common.http.HttpClient;
import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.http.HttpServer;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The trigger against a controller that records what it is asked.
@Timeout(60)
final class HttpTriggerTest {
  private static final Duration LONG = Duration.ofSeconds(30);
  private static final HttpAddress.Tcp ANY_PORT = new HttpAddress.Tcp("127.0.0.1", 0);
  private static final String UID = "df391b08c64c426a81645468c75163a5";
  private static final String HELLO =
      "brn:cloud:faas:bj:8f6e5a28c663957ea04522547a66d08f:function:hello";

  @SuppressWarnings("NullAway.Init")
  private static EventLoops loops;

  private final BlockingQueue<HttpRequest> asked = new LinkedBlockingQueue<>();
  private final CountDownLatch testIsOver = new CountDownLatch(1);
  private volatile HttpResponse answer = HttpResponse.text(200, "Hello world!");

  @SuppressWarnings("NullAway.Init")
  private HttpServer controller;

  @SuppressWarnings("NullAway.Init")
  private HttpTrigger trigger;

  @SuppressWarnings("NullAway.Init")
  private HttpClient client;

  @BeforeAll
  static void startLoops() {
    loops = new EventLoops(1);
  }

  @BeforeEach
  void start() {
    controller = HttpServer.start(ANY_PORT, loops, 8 << 20, this::controllerAnswers);
    start(LONG);
  }

  @AfterEach
  void stop() {
    testIsOver.countDown();
    client.close();
    trigger.close();
    controller.close();
  }

  @AfterAll
  static void closeLoops() {
    loops.close();
  }

  private void start(Duration timeout) {
    start(timeout, controller.address());
  }

  private void start(Duration timeout, HttpAddress address) {
    trigger =
        HttpTrigger.start(
            new HttpTriggerConfig(ANY_PORT, address, "bj", timeout, ByteSize.parse("64KiB")),
            loops);
    client = new HttpClient(trigger.address(), loops);
  }

  private HttpResponse controllerAnswers(HttpRequest request) {
    asked.add(request);
    if (request.text().contains("\"never\"")) {
      try {
        testIsOver.await();
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
      }
    }
    return answer;
  }

  @Test
  void callsTheFunctionOfTheUrlOnBehalfOfItsOwner() throws Exception {
    HttpResponse response = client.send(HttpRequest.of("GET", "/" + UID + "/hello/1?x=1"), LONG);

    assertThat(response.status()).isEqualTo(200);
    assertThat(response.text()).isEqualTo("Hello world!");
    HttpRequest call = asked.take();
    assertThat(call.method()).isEqualTo("POST");
    assertThat(call.path()).containsExactly("v1", "functions", HELLO + ":1", "invocations");
    assertThat(call.header("X-Easyfaas-Account-Id")).contains(UID);
    assertThat(call.header("X-Easyfaas-Faas-Trigger")).contains("faas-http-trigger");
    assertThat(call.header("Content-Type")).contains("application/json");
    assertThat(call.header("X-Easyfaas-Request-Id"))
        .isEqualTo(response.header("X-Easyfaas-Request-Id"));
    Map<?, ?> event = Json.CAMEL.read(call.body(), Map.class);
    assertThat(event.get("httpMethod")).isEqualTo("GET");
    assertThat(event.get("queryStringParameters")).isEqualTo(Map.of("x", "1"));
    assertThat(event.get("path")).isEqualTo("/" + UID + "/hello/1");
  }

  @ParameterizedTest
  @ValueSource(strings = {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PURGE"})
  void takesEveryMethod(String method) throws Exception {
    assertThat(client.send(HttpRequest.of(method, "/u/hello"), LONG).status()).isEqualTo(200);

    assertThat(asked.take().text()).contains("\"httpMethod\":\"" + method + "\"");
  }

  @Test
  void answersHeadWithTheHeadersAlone() {
    HttpResponse response = client.send(HttpRequest.of("HEAD", "/u/hello"), LONG);

    assertThat(response.status()).isEqualTo(200);
    assertThat(response.body()).isEmpty();
  }

  @Test
  void forwardsWhatTheClientSaysAboutTheCallButNotWhoItIs() throws Exception {
    client.send(
        HttpRequest.of("POST", "/u/hello")
            .withHeader("Authorization", "Bearer t")
            .withHeader("Log-Type", "Tail")
            .withHeader("X-Bce-Request-Id", "mine")
            .withHeader("X-Easyfaas-Account-Id", "root")
            .withHeader("X-Easyfaas-Faas-Trigger", "vscode")
            .withHeader("Traceparent", "00-a-b-01")
            .withHeader("Cookie", "a=b"),
        LONG);

    HttpRequest call = asked.take();
    assertThat(call.header("Authorization")).contains("Bearer t");
    assertThat(call.header("Log-Type")).contains("Tail");
    assertThat(call.header("X-Easyfaas-Request-Id")).contains("mine");
    assertThat(call.header("X-Easyfaas-Account-Id")).contains("u");
    assertThat(call.header("X-Easyfaas-Faas-Trigger")).contains("faas-http-trigger");
    assertThat(call.header("Traceparent")).contains("00-a-b-01");
    assertThat(call.header("Cookie")).isEmpty();
    assertThat(call.text()).contains("\"Cookie\":\"a=b\"");
  }

  @Test
  void waysOfCallingThatAreNotThereAreNamed() {
    HttpResponse response =
        client.send(
            HttpRequest.of("POST", "/u/hello").withHeader("X-Easyfaas-Invoke-Type", "event"), LONG);

    assertThat(response.status()).isEqualTo(501);
    assertThat(asked).isEmpty();
  }

  @Test
  void isNotReadyWhileItsControllerIsNot() {
    answer = HttpResponse.text(200, "ready");
    assertThat(client.send(HttpRequest.of("GET", "/readyz"), LONG).status()).isEqualTo(200);

    answer = HttpResponse.text(503, "draining");
    HttpResponse refused = client.send(HttpRequest.of("GET", "/readyz"), LONG);
    assertThat(refused.status()).isEqualTo(503);
    assertThat(refused.text()).contains("the controller is not ready: draining");

    controller.close();
    HttpResponse gone = client.send(HttpRequest.of("GET", "/readyz"), LONG);
    assertThat(gone.status()).isEqualTo(503);
    assertThat(gone.text()).contains("the controller cannot be asked: ");
  }

  @Test
  void aFailingControllerIsABadGateway() {
    answer = HttpResponse.error(new ApiException(ErrorCode.SERVICE, "no disk"));

    HttpResponse response = client.send(HttpRequest.of("GET", "/u/hello"), LONG);

    assertThat(response.status()).isEqualTo(502);
    assertThat(response.text()).contains("InternalException").contains("no disk");
    assertThat(response.header("X-Easyfaas-Request-Id")).isPresent();
  }

  @ParameterizedTest
  @EnumSource(
      value = ErrorCode.class,
      names = {
        "INVALID_PARAMETER",
        "INVALID_CALLER",
        "RESOURCE_NOT_FOUND",
        "REQUEST_TOO_LARGE",
        "TOO_MANY_REQUESTS",
        "UNAVAILABLE"
      })
  void whatTheControllerRefusesIsPassedOn(ErrorCode code) {
    HttpResponse refusal = HttpResponse.error(new ApiException(code, "why", List.of("because")));
    answer = refusal;

    HttpResponse response = client.send(HttpRequest.of("GET", "/u/hello"), LONG);

    assertThat(response.status()).isEqualTo(code.status());
    assertThat(response.text()).isEqualTo(refusal.text());
    assertThat(response.header("Retry-After")).isEqualTo(refusal.header("Retry-After"));
  }

  @Test
  void aClientThatLeavesIsOneThatLeavesTheController() throws Exception {
    client.close();
    trigger.close();
    try (ServerSocket listening = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      HttpAddress address = new HttpAddress.Tcp("127.0.0.1", listening.getLocalPort());
      start(LONG, address);
      Socket called;
      try (Socket leaving = new Socket(InetAddress.getLoopbackAddress(), trigger.port())) {
        leaving.getOutputStream().write("GET /u/f HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(UTF_8));
        called = listening.accept();
        called.setSoTimeout((int) LONG.toMillis());
        assertThat(called.getInputStream().read()).isEqualTo('P');
      }

      // To its end: the connection was closed, though nothing was answered.
      assertThat(new String(called.getInputStream().readAllBytes(), UTF_8)).contains("httpMethod");
      called.close();
    }
  }

  @Test
  void answersWithTheRequestIdOfTheClient() {
    answer = new HttpResponse(200, Map.of(), "{\"statusCode\":418}".getBytes(UTF_8));

    HttpResponse response =
        client.send(
            HttpRequest.of("GET", "/u/hello").withHeader("X-Easyfaas-Request-Id", "mine"), LONG);

    assertThat(response.status()).isEqualTo(418);
    assertThat(response.header("X-Easyfaas-Request-Id")).contains("mine");
  }

  @Test
  void passesTheControllersRefusalOn() {
    answer = HttpResponse.text(429, "{}").withHeader("Retry-After", "1");

    HttpResponse response = client.send(HttpRequest.of("GET", "/u/hello"), LONG);

    assertThat(response.status()).isEqualTo(429);
    assertThat(response.header("Retry-After")).contains("1");
  }

  @ParameterizedTest
  @CsvSource({
    "/a-b/hello, 400, InvalidRequestException",
    "/u/he.llo, 400, InvalidRequestException",
    "/u/hello/live, 400, InvalidRequestException",
    "/u/hello?a=%zz, 400, InvalidParameterValueException",
    "/u, 404, ResourceNotFoundException",
    "/u/hello/1/more, 404, ResourceNotFoundException",
    "/, 404, ResourceNotFoundException",
  })
  void refusesOtherUrlsWithoutCalling(String target, int status, String text) {
    HttpResponse response = client.send(HttpRequest.of("GET", target), LONG);

    assertThat(response.status()).isEqualTo(status);
    assertThat(response.text()).contains(text);
    assertThat(asked).isEmpty();
  }

  @Test
  void answersABodyOverTheLimitWith413() {
    HttpRequest tooLarge = HttpRequest.of("POST", "/u/hello", new byte[65 * 1024]);

    assertThat(client.send(tooLarge, LONG).status()).isEqualTo(413);
  }

  @Test
  void isABadGatewayWhenTheControllerIsGone() {
    controller.close();

    HttpResponse response = client.send(HttpRequest.of("GET", "/u/hello"), LONG);

    assertThat(response.status()).isEqualTo(502);
    assertThat(response.text())
        .contains("BadGatewayException")
        .contains("connect to " + controller.address());
    assertThat(response.header("X-Easyfaas-Request-Id")).isPresent();
  }

  @Test
  void givesUpOnAControllerThatDoesNotAnswer() {
    client.close();
    trigger.close();
    start(Duration.ofMillis(100));

    HttpResponse response =
        client.send(HttpRequest.of("POST", "/u/hello", "never".getBytes(UTF_8)), LONG);

    assertThat(response.status()).isEqualTo(504);
    assertThat(response.text()).contains("no answer in 100ms");
  }

  @Test
  void greetsAndIsHealthy() {
    assertThat(client.send(HttpRequest.of("GET", "/hello"), LONG).text())
        .isEqualTo("hello controller http trigger");
    assertThat(client.send(HttpRequest.of("GET", "/healthz"), LONG).text()).isEqualTo("ok");
    assertThat(asked).isEmpty();
  }
}
