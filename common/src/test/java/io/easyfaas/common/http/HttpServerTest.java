package io.easyfaas.common.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
final class HttpServerTest {
  private static final HttpAddress ANY_PORT = new HttpAddress.Tcp("127.0.0.1", 0);
  private static final int MAX_BODY_BYTES = 64 * 1024;

  @SuppressWarnings("NullAway.Init")
  private static EventLoops loops;

  private final CountDownLatch slowMayAnswer = new CountDownLatch(1);
  private final List<String> handled = new CopyOnWriteArrayList<>();
  private final HttpServer server = HttpServer.start(ANY_PORT, loops, MAX_BODY_BYTES, this::answer);

  @BeforeAll
  static void startLoops() {
    loops = new EventLoops(1);
  }

  @AfterEach
  void closeServer() {
    server.close();
  }

  @AfterAll
  static void closeLoops() {
    loops.close();
  }

  private HttpResponse answer(HttpRequest request) {
    handled.add(request.target());
    return switch (request.path().getFirst()) {
      case "echo" -> HttpResponse.text(200, request.method() + " " + request.text());
      case "slow" -> {
        try {
          slowMayAnswer.await();
        } catch (InterruptedException _) {
          Thread.currentThread().interrupt();
        }
        yield HttpResponse.text(200, "slow");
      }
      case "empty" -> HttpResponse.empty(204);
      case "refuse" -> throw new ApiException(ErrorCode.TOO_MANY_REQUESTS, "empty runtime");
      case "fail" -> throw new IllegalStateException("broken");
      case "exhaust" -> throw new StackOverflowError();
      case "inject" -> HttpResponse.empty(200).withHeader("X-Bad", "a\r\nSet-Cookie: b");
      default -> HttpResponse.text(404, "Not Found");
    };
  }

  @Test
  void keepsAConnectionForManyRequests() throws IOException {
    try (RawConnection connection = connect()) {
      for (int i = 0; i < 3; i++) {
        connection.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n" + i);

        assertThat(connection.read().text()).isEqualTo("POST " + i);
      }
    }
  }

  @Test
  void answersPipelinedRequestsInOrder() throws IOException {
    try (RawConnection connection = connect()) {
      StringBuilder requests = new StringBuilder("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
      for (int i = 0; i < 100; i++) {
        requests.append(
            "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n%03d".formatted(i));
      }
      connection.send(requests.toString());
      slowMayAnswer.countDown();

      assertThat(connection.read().text()).isEqualTo("slow");
      for (int i = 0; i < 100; i++) {
        assertThat(connection.read().text()).isEqualTo("POST %03d".formatted(i));
      }
    }
  }

  @Test
  void answersARefusedRequestAfterTheOnesBeforeIt() throws IOException {
    try (RawConnection connection = connect()) {
      connection.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\nnot http at all\r\n\r\n");
      slowMayAnswer.countDown();

      assertThat(connection.read().text()).isEqualTo("slow");
      assertThat(connection.read().status()).isEqualTo(400);
      assertThat(connection.isClosedByServer()).isTrue();
    }
  }

  @Test
  void closesWhenTheClientAsksForItAndHandlesNothingAfterThat() throws IOException {
    try (RawConnection connection = connect()) {
      String last = "GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
      String tooLate = "GET /too-late HTTP/1.1\r\nHost: x\r\n\r\n";
      connection.send(last + tooLate);

      assertThat(connection.read().header("Connection")).contains("close");
      assertThat(connection.isClosedByServer()).isTrue();
      assertThat(handled).doesNotContain("/too-late");
    }
  }

  @Test
  void answersABodyOverTheLimitWith413ThoughTheClientGoesOnSending() throws IOException {
    try (RawConnection connection = connect()) {
      int length = 32 * 1024 * 1024;
      connection
          .send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + "\r\n\r\n")
          .send(new byte[length]);

      HttpResponse response = connection.read();
      assertThat(response.status()).isEqualTo(413);
      assertThat(response.text())
          .contains("\"Code\":\"RequestTooLargeException\"")
          .contains("at most 65536 bytes");
      assertThat(response.header("X-Easyfaas-Request-Id")).isPresent();
      assertThat(connection.isClosedByServer()).isTrue();
    }
  }

  @Test
  void answersAChunkedBodyOverTheLimitWith413() throws IOException {
    try (RawConnection connection = connect()) {
      connection.send("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
      String chunk = "4000\r\n" + "x".repeat(0x4000) + "\r\n";
      for (int i = 0; i < 5; i++) {
        connection.send(chunk);
      }

      assertThat(connection.read().status()).isEqualTo(413);
    }
  }

  @Test
  void answersBeforeABodyOverTheLimitIsSentWhenTheClientWaits() throws IOException {
    try (RawConnection connection = connect()) {
      connection.send(
          """
          POST /echo HTTP/1.1\r
          Host: x\r
          Expect: 100-continue\r
          Content-Length: 99999\r
          \r
          """);

      HttpResponse response = connection.read();
      assertThat(response.status()).isEqualTo(413);
      assertThat(response.text()).contains("RequestTooLargeException");
    }
  }

  @Test
  void letsAWaitingClientSendItsBody() throws IOException {
    try (RawConnection connection = connect()) {
      connection.send(
          "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
      assertThat(connection.read().status()).isEqualTo(100);

      assertThat(connection.send("hi").read().text()).isEqualTo("POST hi");
    }
  }

  @Test
  void takesABodyOfExactlyTheLimit() throws IOException {
    try (RawConnection connection = connect()) {
      connection
          .send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: " + MAX_BODY_BYTES + "\r\n\r\n")
          .send("x".repeat(MAX_BODY_BYTES));

      assertThat(connection.read().body()).hasSize(MAX_BODY_BYTES + "POST ".length());
    }
  }

  @Test
  void answersTooLargeAHeadWith431() throws IOException {
    try (RawConnection connection = connect()) {
      connection.send("GET /echo HTTP/1.1\r\nX: " + "x".repeat(20_000) + "\r\n\r\n");

      HttpResponse response = connection.read();
      assertThat(response.status()).isEqualTo(431);
      assertThat(response.header("X-Easyfaas-Request-Id")).isPresent();
      assertThat(response.text()).contains("RequestHeadTooLargeException");
      assertThat(connection.isClosedByServer()).isTrue();
    }
  }

  @ParameterizedTest
  @CsvSource({"refuse,A: b,429", "echo,Content-Length: 70000,413", "echo,Expect: x,417"})
  void refusalsHaveTheIdOfTheirRequestAndAreNoFunctionsFailure(
      String path, String header, int status) throws IOException {
    try (RawConnection connection = connect()) {
      connection
          .send("GET /" + path + " HTTP/1.1\r\nHost: x\r\n" + header)
          .send("\r\nX-Easyfaas-Request-Id: mine\r\n\r\n");

      HttpResponse response = connection.read();
      assertThat(response.status()).isEqualTo(status);
      assertThat(response.header("X-Easyfaas-Request-Id")).contains("mine");
      assertThat(response.header("X-Easyfaas-Function-Error")).isEmpty();
    }
  }

  @Test
  void answersWhatIsNotHttpWith400() throws IOException {
    for (String bytes :
        new String[] {
          "\0\1\2\3 / HTTP/1.1\r\n\r\n",
          "GET /echo HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
          "GET /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
          "nonsense\r\n\r\n"
        }) {
      try (RawConnection connection = connect()) {
        HttpResponse response = connection.send(bytes).read();

        assertThat(response.status()).as(bytes).isEqualTo(400);
        assertThat(response.text()).contains("InvalidRequestException");
        assertThat(connection.isClosedByServer()).isTrue();
      }
    }
  }

  @Test
  void neverHandlesARequestWhoseBodyBreaksOff() throws IOException {
    try (RawConnection connection = connect()) {
      connection
          .send("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
          .send("2\r\nab\r\nnot-a-length\r\n");

      assertThat(connection.read().status()).isEqualTo(400);
    }
  }

  @Test
  void answersHeadWithoutTheBody() throws IOException {
    try (RawConnection connection = connect()) {
      connection.send("HEAD /echo HTTP/1.1\r\nHost: x\r\n\r\n");
      assertThat(connection.readHead().header("Content-Length")).contains("5");

      connection.send("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
      assertThat(connection.read().text()).isEqualTo("GET ");
    }
  }

  @Test
  void sendsNoLengthWithAnAnswerThatNeverHasABody() throws IOException {
    try (RawConnection connection = connect()) {
      HttpResponse response = connection.send("GET /empty HTTP/1.1\r\nHost: x\r\n\r\n").readHead();

      assertThat(response.status()).isEqualTo(204);
      assertThat(response.header("Content-Length")).isEmpty();
    }
  }

  @Test
  void turnsWhateverAHandlerThrowsIntoAnAnswer() throws IOException {
    try (RawConnection connection = connect()) {
      HttpResponse refused = connection.send("GET /refuse HTTP/1.1\r\nHost: x\r\n\r\n").read();
      HttpResponse failed = connection.send("GET /fail HTTP/1.1\r\nHost: x\r\n\r\n").read();
      HttpResponse exhausted = connection.send("GET /exhaust HTTP/1.1\r\nHost: x\r\n\r\n").read();

      assertThat(refused.status()).isEqualTo(429);
      assertThat(refused.header("Retry-After")).contains("1");
      assertThat(refused.header("X-Amzn-ErrorType")).contains("TooManyRequestsException");
      assertThat(refused.text()).contains("\"Cause\":\"empty runtime\"");
      assertThat(failed.status()).isEqualTo(500);
      assertThat(failed.text()).contains("\"Backtrace\":[{\"Message\":\"broken\"}]");
      assertThat(exhausted.status()).isEqualTo(500);
    }
  }

  @Test
  void neverSendsAHeaderThatWouldSplitTheAnswer() throws IOException {
    try (RawConnection connection = connect()) {
      HttpResponse response = connection.send("GET /inject HTTP/1.1\r\nHost: x\r\n\r\n").read();

      assertThat(response.status()).isEqualTo(500);
      assertThat(response.headers()).doesNotContainKey("Set-Cookie");
    }
  }

  @Test
  void closesAConnectionNobodyUses() throws IOException {
    try (HttpServer impatient = startWithIdleTime(Duration.ofMillis(50));
        RawConnection fresh = new RawConnection(impatient.port());
        RawConnection used = new RawConnection(impatient.port());
        RawConnection stuck = new RawConnection(impatient.port())) {
      used.send("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n").read();
      stuck.send("GET /echo HTT");

      assertThat(fresh.isClosedByServer()).isTrue();
      assertThat(used.isClosedByServer()).isTrue();
      assertThat(stuck.read().status()).isEqualTo(408);
      assertThat(stuck.isClosedByServer()).isTrue();
    }
  }

  @Test
  void keepsAnIdleConnectionWhileItsAnswerIsBeingMade() throws IOException {
    try (HttpServer impatient = startWithIdleTime(Duration.ofMillis(20));
        RawConnection waiting = new RawConnection(impatient.port());
        RawConnection clock = new RawConnection(impatient.port())) {
      waiting.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").send("");
      assertThat(clock.isClosedByServer()).isTrue(); // At least one idle time has passed.
      slowMayAnswer.countDown();

      assertThat(waiting.read().text()).isEqualTo("slow");
    }
  }

  @Test
  void closesConnectionsAndRefusesNewOnesOnceClosed() throws IOException {
    int port = server.port();
    try (RawConnection connection = connect()) {
      connection.send("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n").read();

      server.close();
      server.close();

      assertThat(connection.isClosedByServer()).isTrue();
      assertThatThrownBy(() -> new RawConnection(port)).isInstanceOf(IOException.class);
    }
  }

  @Test
  void namesTheAddressThatIsInUse() {
    HttpAddress taken = server.address();

    assertThatThrownBy(() -> HttpServer.start(taken, loops, 1, this::answer))
        .isInstanceOf(HttpException.class)
        .hasMessageStartingWith("listen on " + taken + ": ")
        .hasMessageEndingWith("Hint: is another process using port " + server.port() + "?");
  }

  @ParameterizedTest
  @CsvSource({
    "nobody.invalid, no machine is known as nobody.invalid",
    "999.1.1.1, no machine is known as 999.1.1.1",
    "192.0.2.1, no address of this machine",
  })
  void namesTheAddressThatIsNone(String host, String reason) {
    HttpAddress address = new HttpAddress.Tcp(host, 0);

    assertThatThrownBy(() -> HttpServer.start(address, loops, 1, this::answer))
        .isInstanceOf(HttpException.class)
        .hasMessage("listen on " + address + ": " + reason);
  }

  @Test
  void listensOnAUnixSocketOnlyItsOwnerAndGroupMayUse(@TempDir Path directory) throws IOException {
    Path socket = directory.resolve("api.sock");
    HttpAddress address = new HttpAddress.Unix(socket);
    try (HttpServer unix = HttpServer.start(address, loops, 100, this::answer);
        HttpClient client = new HttpClient(address, loops)) {
      assertThat(Files.getPosixFilePermissions(socket))
          .isEqualTo(PosixFilePermissions.fromString("rw-rw----"));
      assertThat(client.send(HttpRequest.of("GET", "/echo"), Duration.ofSeconds(20)).text())
          .isEqualTo("GET ");
      assertThatThrownBy(unix::port).isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(() -> HttpServer.start(address, loops, 100, this::answer))
          .hasMessage("listen on " + address + ": in use. Hint: is another engine running there?");
    }
    assertThat(socket).doesNotExist();
  }

  @Test
  void replacesASocketThatAKilledProcessLeft(@TempDir Path directory) throws IOException {
    Path socket = directory.resolve("api.sock");
    try (var left = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      left.bind(UnixDomainSocketAddress.of(socket));
    }
    assertThat(socket).exists();

    HttpAddress address = new HttpAddress.Unix(socket);
    try (HttpServer _ = HttpServer.start(address, loops, 100, this::answer);
        HttpClient client = new HttpClient(address, loops)) {
      assertThat(client.send(HttpRequest.of("GET", "/echo"), Duration.ofSeconds(20)).status())
          .isEqualTo(200);
    }
  }

  @Test
  void neverRemovesAFileThatIsNoSocket(@TempDir Path directory) throws IOException {
    Path precious = Files.writeString(directory.resolve("precious"), "data");

    assertThatThrownBy(
            () -> HttpServer.start(new HttpAddress.Unix(precious), loops, 100, this::answer))
        .isInstanceOf(HttpException.class)
        .hasMessage(
            "listen on unix://" + precious + ": the file exists (expected: a socket, or nothing)");
    assertThat(precious).hasContent("data");
  }

  @Test
  void answersAreIndependentOfHeadersCase() {
    HttpResponse response =
        new HttpResponse(200, Map.of("content-type", "a/b"), "x".getBytes(UTF_8));

    assertThat(response.header("Content-Type")).contains("a/b");
  }

  private HttpServer startWithIdleTime(Duration idle) {
    Duration never = Duration.ofSeconds(60);
    return HttpServer.start(
        ANY_PORT,
        loops,
        MAX_BODY_BYTES,
        this::answer,
        _ -> _ -> false,
        new Deadlines(idle, idle, never, never, never));
  }

  private RawConnection connect() throws IOException {
    return new RawConnection(server.port());
  }
}
