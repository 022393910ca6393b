package io.easyfaas.common.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.budget.ByteKind;
import io.easyfaas.common.budget.Reservation;
import io.easyfaas.common.wire.ApiException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.zip.CRC32;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
final class HttpClientTest {
  private static final HttpAddress ANY_PORT = new HttpAddress.Tcp("127.0.0.1", 0);
  private static final Duration LONG = Duration.ofSeconds(30);
  private static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

  @SuppressWarnings("NullAway.Init")
  private static EventLoops loops;

  @BeforeAll
  static void startLoops() {
    loops = new EventLoops(1);
  }

  @AfterAll
  static void closeLoops() {
    loops.close();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void anAnswerIsReservedBeforeItIsReadAndWaitsForRoom(boolean isLengthTold) throws Exception {
    ByteBudget bytes = new ByteBudget(1_000_000);
    try (EventLoops own = new EventLoops(1, bytes, new ConnectionLimit(9));
        ScriptedServer server = new ScriptedServer();
        HttpClient client = new HttpClient(server.address(), own);
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      String body = "x".repeat(150_000);
      server.onConnection(
          isLengthTold
              ? "HTTP/1.1 200 OK\r\nContent-Length: 150000\r\n\r\n" + body
              : "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n249f0\r\n"
                  + body
                  + "\r\n0\r\n\r\n",
          ScriptedServer.NEVER);
      Reservation others = bytes.open(ByteKind.BODY, "others");
      others.add(1_000_000);
      Future<HttpResponse> answer =
          threads.submit(() -> client.send(HttpRequest.of("GET", "/"), LONG));
      while (bytes.usage().of(ByteKind.DOCUMENT).waiting() == 0) {
        Thread.sleep(1);
      }

      others.close();

      assertThat(answer.get().text().equals(body)).isTrue();
      while (bytes.usage().reserved() > 0) { // Given back right after.
        Thread.sleep(1);
      }
    }
  }

  @Test
  void whatAServerSaysBeforeItsAnswerIsNotTheAnswer() throws Exception {
    try (ScriptedServer server = new ScriptedServer();
        HttpClient client = new HttpClient(server.address(), loops)) {
      server.onConnection(
          "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n" + OK,
          ScriptedServer.NEVER);

      HttpResponse response = client.send(HttpRequest.of("GET", "/"), LONG);

      assertThat(response.status()).isEqualTo(200);
      assertThat(response.text()).isEqualTo("ok");
    }
  }

  @Test
  void anAnswerThatFindsNoRoomInTimeFails() throws Exception {
    ByteBudget bytes = new ByteBudget(1_000_000);
    Deadlines short50 = new Deadlines(LONG, LONG, LONG, LONG, Duration.ofMillis(50));
    try (EventLoops own = new EventLoops(1, bytes, new ConnectionLimit(9));
        ScriptedServer server = new ScriptedServer();
        HttpClient client = new HttpClient(server.address(), own, 1_000_000, short50)) {
      server.onConnection(
          "HTTP/1.1 200 OK\r\nContent-Length: 150000\r\n\r\n" + "x".repeat(150_000),
          ScriptedServer.NEVER);
      Reservation others = bytes.open(ByteKind.BODY, "others");
      others.add(1_000_000);

      assertThatThrownBy(() -> client.send(HttpRequest.of("GET", "/"), LONG))
          .isInstanceOf(HttpException.class)
          .hasCauseInstanceOf(ApiException.class)
          .hasMessageContaining("memory for requests and answers");
      others.close();
      assertThat(bytes.usage().reserved()).isZero();
    }
  }

  @Test
  void sendsMethodTargetHeadersAndBodyAndReadsTheAnswer() {
    HttpHandler handler =
        request ->
            HttpResponse.text(
                    201,
                    request.method()
                        + " "
                        + request.target()
                        + " "
                        + request.header("X-One").orElse("")
                        + " "
                        + request.text())
                .withHeader("X-Two", "2");
    try (HttpServer server = HttpServer.start(ANY_PORT, loops, 100, handler);
        HttpClient client = new HttpClient(server.address(), loops)) {
      HttpResponse response =
          client.send(
              HttpRequest.of("POST", "/a?b=c", "body".getBytes(ISO_8859_1))
                  .withHeader("X-One", "1"),
              LONG);

      assertThat(response.status()).isEqualTo(201);
      assertThat(response.text()).isEqualTo("POST /a?b=c 1 body");
      assertThat(response.header("x-two")).contains("2");
    }
  }

  @Test
  void sendsABodyAsItIsRead() {
    byte[] body = new byte[3 * 1024 * 1024 + 7];
    new Random(1).nextBytes(body);
    HttpHandler handler =
        request ->
            HttpResponse.text(
                200, request.header("Content-Length").orElse("") + " " + hash(request.body()));
    try (HttpServer server = HttpServer.start(ANY_PORT, loops, body.length, handler);
        HttpClient client = new HttpClient(server.address(), loops)) {
      for (long length : new long[] {body.length, HttpBody.UNKNOWN}) {
        HttpBody.Stream content = new HttpBody.Stream(new ByteArrayInputStream(body), length);

        HttpResponse response = client.send(HttpRequest.of("POST", "/", content), LONG);

        assertThat(response.text()).isEqualTo(body.length + " " + hash(body));
      }
    }
  }

  @Test
  void sendsABodyFromItsBufferAndAgainOverTheSameConnection() {
    byte[] body = new byte[3 * 1024 * 1024 + 7];
    new Random(1).nextBytes(body);
    ByteBuf buffer = Unpooled.directBuffer(body.length).writeBytes(body);
    try (HttpServer server =
            HttpServer.start(
                ANY_PORT,
                loops,
                body.length,
                request -> HttpResponse.text(200, hash(request.body())));
        HttpClient client = new HttpClient(server.address(), loops)) {
      HttpRequest request = HttpRequest.of("POST", "/", new HttpBody.Buffer(buffer));

      assertThat(client.send(request, LONG).text()).isEqualTo(hash(body));
      assertThat(client.send(request, LONG).text()).isEqualTo(hash(body));

      HttpRequest bad =
          new HttpRequest("POST", "/", Map.of("X", "a\nb"), new HttpBody.Buffer(buffer));
      assertThatThrownBy(() -> client.send(bad, LONG)).isInstanceOf(IllegalArgumentException.class);
    }
    assertThat(buffer.refCnt()).as("it is the caller's").isOne();
    buffer.release();
  }

  @Test
  void answerBeforeTheEndOfABodyEndsIt() {
    try (HttpServer server = HttpServer.start(ANY_PORT, loops, 100, _ -> HttpResponse.empty(200));
        HttpClient client = new HttpClient(server.address(), loops)) {
      HttpBody.Stream body = new HttpBody.Stream(endless(), Long.MAX_VALUE);

      assertThat(client.send(HttpRequest.of("POST", "/", body), LONG).status()).isEqualTo(413);
    }
  }

  @Test
  void bodyThatCannotBeReadIsNamed() {
    InputStream broken =
        new FilterInputStream(InputStream.nullInputStream()) {
          @Override
          public int read(byte[] target, int offset, int length) throws IOException {
            throw new IOException("disk on fire");
          }
        };
    try (HttpServer server = HttpServer.start(ANY_PORT, loops, 100, _ -> HttpResponse.empty(200));
        HttpClient client = new HttpClient(server.address(), loops)) {
      HttpRequest request = HttpRequest.of("POST", "/", new HttpBody.Stream(broken, 5));

      assertThatThrownBy(() -> client.send(request, LONG))
          .isInstanceOf(HttpException.class)
          .hasMessageContaining("disk on fire");
    }
  }

  @Test
  void bodyThatThrowsCostsItsConnection() throws IOException {
    InputStream broken =
        new FilterInputStream(InputStream.nullInputStream()) {
          @Override
          public int read(byte[] target, int offset, int length) {
            throw new IllegalStateException("a defect");
          }
        };
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        HttpClient client =
            new HttpClient(new HttpAddress.Tcp("127.0.0.1", server.getLocalPort()), loops)) {
      HttpRequest request = HttpRequest.of("POST", "/", new HttpBody.Stream(broken, 5));

      assertThatThrownBy(() -> client.send(request, LONG))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("a defect");

      try (Socket connection = server.accept()) {
        connection.setSoTimeout(20_000);
        assertThat(connection.getInputStream().readAllBytes())
            .as("what came before the client closed it")
            .isNotNull();
      }
    }
  }

  @Test
  void serverThatTakesNothingOfABodyIsGivenUp() throws IOException {
    try (ScriptedServer server = new ScriptedServer();
        HttpClient client = new HttpClient(server.address(), loops)) {
      server.onConnection(ScriptedServer.NEVER);
      HttpBody.Stream body =
          new HttpBody.Stream(new ByteArrayInputStream(new byte[64 << 20]), 64 << 20);

      assertThatThrownBy(
              () -> client.send(HttpRequest.of("POST", "/", body), Duration.ofMillis(300)))
          .isInstanceOf(HttpException.class)
          .hasMessageContaining("no answer in 300ms");
    }
  }

  private static InputStream endless() {
    return new FilterInputStream(InputStream.nullInputStream()) {
      @Override
      public int read(byte[] target, int offset, int length) {
        return length;
      }
    };
  }

  private static String hash(byte[] bytes) {
    CRC32 crc = new CRC32();
    crc.update(bytes);
    return Long.toHexString(crc.getValue());
  }

  @Test
  void carriesBigBodiesBothWaysOverTcp() {
    carriesBigBodies(ANY_PORT);
  }

  @Test
  void carriesBigBodiesBothWaysOverAUnixSocket(@TempDir Path directory) {
    carriesBigBodies(new HttpAddress.Unix(directory.resolve("echo.sock")));
  }

  private static void carriesBigBodies(HttpAddress address) {
    byte[] body = new byte[20 * 1024 * 1024];
    new Random(1).nextBytes(body);
    HttpHandler echo = request -> HttpResponse.json(200, request.body());
    try (HttpServer server = HttpServer.start(address, loops, body.length, echo);
        HttpClient client = new HttpClient(server.address(), loops)) {
      byte[] answer = client.send(HttpRequest.of("POST", "/", body), LONG).body();

      assertThat(Arrays.equals(answer, body)).isTrue();
    }
  }

  @Test
  void readsTheAnswerThatRefusesTheBodyItIsStillSending() {
    try (HttpServer server = HttpServer.start(ANY_PORT, loops, 100, _ -> HttpResponse.empty(200));
        HttpClient client = new HttpClient(server.address(), loops)) {
      HttpRequest tooLarge = HttpRequest.of("POST", "/", new byte[32 * 1024 * 1024]);

      assertThat(client.send(tooLarge, LONG).status()).isEqualTo(413);
      assertThat(client.send(HttpRequest.of("GET", "/"), LONG).status()).isEqualTo(200);
    }
  }

  @Test
  void answersManyThreadsEachTheirOwn() throws Exception {
    HttpHandler handler = request -> HttpResponse.text(200, request.target());
    try (HttpServer server = HttpServer.start(ANY_PORT, loops, 100, handler);
        HttpClient client = new HttpClient(server.address(), loops);
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<String>> answers = new ArrayList<>();
      for (int i = 0; i < 500; i++) {
        String target = "/" + i;
        answers.add(threads.submit(() -> client.send(HttpRequest.of("GET", target), LONG).text()));
      }

      for (int i = 0; i < answers.size(); i++) {
        assertThat(answers.get(i).get()).isEqualTo("/" + i);
      }
    }
  }

  @Test
  void reusesItsConnection() throws IOException {
    try (ScriptedServer server = new ScriptedServer();
        HttpClient client = new HttpClient(server.address(), loops)) {
      server.onConnection(OK, OK, OK);

      for (int i = 0; i < 3; i++) {
        assertThat(client.send(HttpRequest.of("POST", "/"), LONG).text()).isEqualTo("ok");
      }
      assertThat(server.connections()).isEqualTo(1);
    }
  }

  @Test
  void opensAnotherConnectionAfterTheServerSaidClose() throws IOException {
    try (ScriptedServer server = new ScriptedServer();
        HttpClient client = new HttpClient(server.address(), loops)) {
      server.onConnection("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      server.onConnection(OK);

      assertThat(client.send(HttpRequest.of("POST", "/1"), LONG).status()).isEqualTo(200);
      assertThat(client.send(HttpRequest.of("POST", "/2"), LONG).text()).isEqualTo("ok");
      assertThat(server.connections()).isEqualTo(2);
    }
  }

  @Test
  void sendsAnIdempotentRequestAgainWhenAKeptConnectionTurnsOutToBeClosed() throws IOException {
    try (ScriptedServer server = new ScriptedServer();
        HttpClient client = new HttpClient(server.address(), loops)) {
      server.onConnection(OK, ""); // Reads a second request, and closes instead of answering.
      server.onConnection(OK);

      assertThat(client.send(HttpRequest.of("GET", "/1"), LONG).text()).isEqualTo("ok");
      assertThat(client.send(HttpRequest.of("GET", "/2"), LONG).text()).isEqualTo("ok");
      assertThat(server.requests()).containsExactly("GET /1", "GET /2", "GET /2");
    }
  }

  @Test
  void neverSendsTwiceWhatMightThenHappenTwice() throws IOException {
    try (ScriptedServer server = new ScriptedServer();
        HttpClient client = new HttpClient(server.address(), loops)) {
      server.onConnection(OK, "");
      server.onConnection(OK);

      assertThat(client.send(HttpRequest.of("GET", "/1"), LONG).text()).isEqualTo("ok");
      assertThatThrownBy(() -> client.send(HttpRequest.of("POST", "/2"), LONG))
          .isInstanceOf(HttpException.class)
          .hasMessage("POST " + server.address() + "/2: connection closed before the answer");
      assertThat(server.requests()).containsExactly("GET /1", "POST /2");
    }
  }

  @Test
  void failsWhenANewConnectionIsClosedBeforeTheAnswer() throws IOException {
    try (ScriptedServer server = new ScriptedServer();
        HttpClient client = new HttpClient(server.address(), loops)) {
      server.onConnection("");

      assertThatThrownBy(() -> client.send(HttpRequest.of("GET", "/"), LONG))
          .isInstanceOf(HttpException.class)
          .hasMessage("GET " + server.address() + "/: connection closed before the answer");
    }
  }

  @Test
  void failsWhenTheAnswerBreaksOff() throws IOException {
    try (ScriptedServer server = new ScriptedServer();
        HttpClient client = new HttpClient(server.address(), loops)) {
      server.onConnection("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");

      assertThatThrownBy(() -> client.send(HttpRequest.of("GET", "/"), LONG))
          .isInstanceOf(HttpException.class);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void saysThatAnAnswerIsTooLarge(boolean isLengthTold) throws IOException {
    String body = "x".repeat(3000);
    try (ScriptedServer server = new ScriptedServer();
        HttpClient client = new HttpClient(server.address(), loops, 2048)) {
      server.onConnection(
          isLengthTold
              ? "HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n" + body
              : "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nbb8\r\n"
                  + body
                  + "\r\n0\r\n\r\n",
          ScriptedServer.NEVER);

      assertThatThrownBy(() -> client.send(HttpRequest.of("GET", "/a"), LONG))
          .isInstanceOfSatisfying(
              HttpException.class, failure -> assertThat(failure.isTooLarge()).isTrue())
          .hasMessage(
              "GET " + server.address() + "/a: the answer is too large (expected: at most 2KiB)");
    }
  }

  @Test
  void failsWhenTheAnswerIsNotHttp() throws IOException {
    try (ScriptedServer server = new ScriptedServer();
        HttpClient client = new HttpClient(server.address(), loops)) {
      server.onConnection("SSH-2.0-OpenSSH_9.2\r\n\r\n");

      assertThatThrownBy(() -> client.send(HttpRequest.of("GET", "/"), LONG))
          .isInstanceOf(HttpException.class);
    }
  }

  @Test
  void givesUpWhenThereIsNoAnswerInTimeAndDropsTheConnection() throws IOException {
    try (ScriptedServer server = new ScriptedServer();
        HttpClient client = new HttpClient(server.address(), loops)) {
      server.onConnection(ScriptedServer.NEVER);
      server.onConnection(OK);

      assertThatThrownBy(() -> client.send(HttpRequest.of("GET", "/1"), Duration.ofMillis(50)))
          .isInstanceOf(HttpException.class)
          .hasMessage("GET " + server.address() + "/1: no answer in 50ms");
      assertThat(client.send(HttpRequest.of("GET", "/2"), LONG).text()).isEqualTo("ok");
    }
  }

  @Test
  void namesTheHostThatNobodyKnows() {
    HttpAddress address = new HttpAddress.Tcp("nobody.invalid", 1);
    try (HttpClient client = new HttpClient(address, loops)) {
      assertThatThrownBy(() -> client.send(HttpRequest.of("GET", "/"), LONG))
          .hasMessage("connect to " + address + ": no machine is known as nobody.invalid");
    }
  }

  @Test
  void namesTheAddressItCannotConnectTo(@TempDir Path directory) throws IOException {
    ScriptedServer gone = new ScriptedServer();
    gone.close();
    HttpAddress nobody = new HttpAddress.Unix(directory.resolve("nobody.sock"));
    try (HttpClient tcp = new HttpClient(gone.address(), loops);
        HttpClient unix = new HttpClient(nobody, loops)) {
      assertThatThrownBy(() -> tcp.send(HttpRequest.of("GET", "/"), LONG))
          .isInstanceOf(HttpException.class)
          .hasMessage("connect to " + gone.address() + ": nothing listens there")
          .matches(failure -> ((HttpException) failure).isUnreached());
      assertThatThrownBy(() -> unix.send(HttpRequest.of("GET", "/"), LONG))
          .isInstanceOf(HttpException.class)
          .hasMessage("connect to " + nobody + ": there is no such socket");
    }
  }

  @Test
  void refusesAHeaderThatWouldSplitTheRequestAndKeepsWorking() throws IOException {
    try (ScriptedServer server = new ScriptedServer();
        HttpClient client = new HttpClient(server.address(), loops)) {
      server.onConnection(OK);

      assertThatThrownBy(() ->
              client.send(HttpRequest.of("GET", "/1").withHeader("X-Bad", "a\r\nX-Worse: b"), LONG))
          .isInstanceOf(IllegalArgumentException.class);
      assertThat(client.send(HttpRequest.of("GET", "/2"), LONG).text()).isEqualTo("ok");
      assertThat(server.requests()).containsExactly("GET /2");
    }
  }

  @Test
  void readsAnAnswerToHeadThatHasALengthAndNoBody() throws IOException {
    try (ScriptedServer server = new ScriptedServer();
        HttpClient client = new HttpClient(server.address(), loops)) {
      server.onConnection("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", OK);

      assertThat(client.send(HttpRequest.of("HEAD", "/"), LONG).body()).isEmpty();
      assertThat(client.send(HttpRequest.of("GET", "/"), LONG).text()).isEqualTo("ok");
    }
  }
}
