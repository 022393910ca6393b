package io.easyfaas.common.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Bodies that are read as they come.
@Timeout(60)
final class BodyStreamingTest {
  private static final int MAX_WHOLE_BYTES = 64 * 1024;
  private static final int MAX_STREAM_BYTES = 32 * 1024 * 1024;

  @SuppressWarnings("NullAway.Init")
  private static EventLoops loops;

  private final CountDownLatch mayRead = new CountDownLatch(1);
  private final BlockingQueue<String> seen = new LinkedBlockingQueue<>();
  private final BlockingQueue<InputStream> bodies = new LinkedBlockingQueue<>();
  private final HttpServer server =
      HttpServer.start(new HttpAddress.Tcp("127.0.0.1", 0), loops, MAX_WHOLE_BYTES, router());

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

  private Router router() {
    return Router.builder().stream(
            "PUT",
            "/digest",
            BodyRule.streamed(MAX_STREAM_BYTES, 0),
            (request, _) -> digest(request))
        .stream(
            "PUT", "/late", BodyRule.streamed(MAX_STREAM_BYTES, 0), (request, _) -> late(request))
        .stream("PUT", "/refuse", BodyRule.streamed(MAX_STREAM_BYTES, 0), (_, _) -> refuse())
        .stream("PUT", "/small", BodyRule.streamed(20_000, 0), (request, _) -> digest(request))
        .route("PUT", "/whole", (request, _) -> HttpResponse.text(200, request.text()))
        .route("GET", "/known", (_, _) -> new HttpResponse(200, Map.of(), random(100_000)))
        .build();
  }

  private HttpResponse digest(HttpRequest request) {
    try (InputStream body = request.stream()) {
      return HttpResponse.text(200, sha256(body.readAllBytes()) + " " + request.content().length());
    } catch (IOException e) {
      seen.add(String.valueOf(e.getMessage()));
      throw new UncheckedIOException(e);
    }
  }

  private HttpResponse late(HttpRequest request) {
    bodies.add(request.stream());
    try {
      mayRead.await();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
    return digest(request);
  }

  private static HttpResponse refuse() {
    throw new ApiException(ErrorCode.REQUEST_TOO_LARGE, "no room");
  }

  @Test
  void readsABodyFarLargerThanItIsEverInMemory() throws IOException {
    byte[] body = random(MAX_STREAM_BYTES);
    try (RawConnection connection = connect()) {
      put(connection, "/digest", body.length).send(body);

      assertThat(connection.read().text()).isEqualTo(sha256(body) + " " + body.length);
    }
  }

  @Test
  void readsAChunkedBodyAndKeepsTheConnection() throws IOException {
    try (RawConnection connection = connect()) {
      connection
          .send("PUT /digest HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
          .send("3\r\nabc\r\n")
          .send("2\r\nde\r\n0\r\n\r\n");
      assertThat(connection.read().text()).isEqualTo(sha256("abcde".getBytes(UTF_8)) + " -1");

      put(connection, "/whole", 2).send("hi");
      assertThat(connection.read().text()).isEqualTo("hi");
    }
  }

  @Test
  void handsAShortBodyOverAsAStreamToo() throws IOException {
    try (RawConnection connection = connect()) {
      put(connection, "/digest", 3).send("abc");

      assertThat(connection.read().text()).isEqualTo(sha256("abc".getBytes(UTF_8)) + " 3");
    }
  }

  @Test
  void readsNoFasterThanItsReader() throws Exception {
    byte[] body = random(MAX_STREAM_BYTES);
    try (RawConnection connection = connect()) {
      Thread sender =
          Thread.ofVirtual()
              .start(() -> {
                try {
                  put(connection, "/late", body.length).send(body);
                } catch (IOException e) {
                  seen.add("send: " + e);
                }
              });
      InputStream waiting = bodies.take();
      try (RawConnection other = connect()) {
        for (int i = 0; i < 20; i++) { // Many turns of the loop.
          put(other, "/whole", 1).send("x");
          assertThat(other.read().text()).isEqualTo("x");
          assertThat(waiting.available()).isBetween(0, BodyStream.CAPACITY);
        }
      }
      assertThat(sender.isAlive()).as("the client waits for the reader").isTrue();
      mayRead.countDown();

      assertThat(connection.read().text()).isEqualTo(sha256(body) + " " + body.length);
      sender.join();
    }
  }

  /// Over a unix socket, which holds more than there is room for with the reader.
  @Test
  void readsNoFasterThanItsReaderWhoseClientHasClosedItsSide(@TempDir Path directory)
      throws Exception {
    Path socket = directory.resolve("http.sock");
    byte[] body = random(BodyStream.CAPACITY * 5 / 4);
    int ahead = BodyStream.CAPACITY * 5 / 8;
    try (HttpServer _ =
            HttpServer.start(new HttpAddress.Unix(socket), loops, MAX_WHOLE_BYTES, router());
        SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      OutputStream out = Channels.newOutputStream(client);
      out.write(head("/late", body.length));
      out.write(body, 0, ahead);
      InputStream waiting = bodies.take();
      while (waiting.available() < BodyStream.CAPACITY / 2) {
        Thread.sleep(2); // Until the socket is read no more.
      }
      out.write(body, ahead, body.length - ahead);
      client.shutdownOutput();
      for (int i = 0; i < 20; i++) { // Many turns of the loop.
        try (RawConnection other = connect()) {
          assertThat(put(other, "/whole", 1).send("x").read().text()).isEqualTo("x");
        }
      }
      mayRead.countDown();

      String answer = new String(Channels.newInputStream(client).readAllBytes(), UTF_8);
      assertThat(answer).endsWith("\r\n\r\n" + sha256(body) + " " + body.length);
    }
  }

  @Test
  void refusesABodyOverTheRoutesLimit() throws IOException {
    try (RawConnection connection = connect()) {
      put(connection, "/small", 20_001).send(new byte[20_001]);

      HttpResponse response = connection.read();
      assertThat(response.status()).isEqualTo(413);
      assertThat(response.text()).contains("at most 20000 bytes");
      assertThat(seen).isEmpty();
    }
  }

  @Test
  void refusesAChunkedBodyOverTheRoutesLimitThoughItIsBeingRead() throws Exception {
    try (RawConnection connection = connect()) {
      connection.send("PUT /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
      for (int i = 0; i < 4; i++) {
        connection.send("1800\r\n" + "x".repeat(0x1800) + "\r\n");
      }

      assertThat(connection.read().status()).isEqualTo(413);
      assertThat(connection.isClosedByServer()).isTrue();
      assertThat(seen.take()).isEqualTo("refused with status 413");
    }
  }

  @Test
  void refusesAWholeBodyOverTheServersLimit() throws IOException {
    try (RawConnection connection = connect()) {
      put(connection, "/whole", MAX_WHOLE_BYTES + 1).send(new byte[MAX_WHOLE_BYTES + 1]);

      assertThat(connection.read().status()).isEqualTo(413);
    }
  }

  @Test
  void asksForTheBodyOnceItsReaderWantsIt() throws IOException {
    try (RawConnection connection = connect()) {
      connection.send(
          "PUT /late HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 10000\r\n\r\n");
      try (RawConnection other = connect()) {
        put(other, "/whole", 1).send("x");
        assertThat(other.read().text()).isEqualTo("x"); // The first one's head was read before.
      }
      assertThat(connection.available()).isZero();
      mayRead.countDown();

      assertThat(connection.read().status()).isEqualTo(100);
      byte[] body = random(10_000);
      assertThat(connection.send(body).read().text()).startsWith(sha256(body));
    }
  }

  @Test
  void refusesWithoutAskingForTheBody() throws IOException {
    try (RawConnection connection = connect()) {
      connection.send(
          """
          PUT /refuse HTTP/1.1\r
          Host: x\r
          Expect: 100-continue\r
          Content-Length: 10000\r
          \r
          """);

      HttpResponse response = connection.read();
      assertThat(response.status()).isEqualTo(413);
      assertThat(response.header("Connection")).contains("close");
      assertThat(connection.isClosedByServer()).isTrue();
    }
  }

  @Test
  void answersBeforeTheEndOfABodyThatIsStillBeingSent() throws IOException {
    try (RawConnection connection = connect()) {
      put(connection, "/refuse", MAX_STREAM_BYTES).send(new byte[MAX_STREAM_BYTES]);

      HttpResponse response = connection.read();
      assertThat(response.status()).isEqualTo(413);
      assertThat(response.text()).contains("no room");
      assertThat(connection.isClosedByServer()).isTrue();
    }
  }

  @Test
  void failsTheReaderOfABodyWhoseClientLeaves() throws Exception {
    try (RawConnection connection = connect()) {
      put(connection, "/digest", 100_000).send(new byte[50_000]);
    }

    assertThat(seen.take()).isEqualTo("the client left before the end of the body");
  }

  @Test
  void answersABodyThatBreaksOffWith400ThoughItIsBeingRead() throws Exception {
    try (RawConnection connection = connect()) {
      connection
          .send("PUT /digest HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
          .send("2\r\nab\r\nnot-a-length\r\n");

      assertThat(connection.read().status()).isEqualTo(400);
      assertThat(seen.take()).isEqualTo("refused with status 400");
    }
  }

  @Test
  void refusesAnExpectationNobodyCanMeet() throws IOException {
    try (RawConnection connection = connect()) {
      connection.send(
          "PUT /digest HTTP/1.1\r\nHost: x\r\nExpect: tea\r\nContent-Length: 10000\r\n\r\n");

      assertThat(connection.read().status()).isEqualTo(417);
      assertThat(connection.isClosedByServer()).isTrue();
    }
  }

  @Test
  void takesABodyOfManyTinyChunksWhole() throws IOException {
    int size = 20_000;
    try (RawConnection connection = connect()) {
      connection
          .send("PUT /whole HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
          .send("1\r\nx\r\n".repeat(size) + "0\r\n\r\n");

      assertThat(connection.read().text()).isEqualTo("x".repeat(size));
    }
  }

  @Test
  void answersHeadWithTheLengthAlone() throws Exception {
    try (RawConnection connection = connect()) {
      connection.send("HEAD /known HTTP/1.1\r\nHost: x\r\n\r\n");
      assertThat(connection.readHead().header("Content-Length")).contains("100000");

      put(connection, "/whole", 1).send("x");
      assertThat(connection.read().text()).isEqualTo("x");
    }
  }

  private RawConnection connect() throws IOException {
    return new RawConnection(server.port());
  }

  private static RawConnection put(RawConnection connection, String path, int length)
      throws IOException {
    return connection.send(head(path, length));
  }

  private static byte[] head(String path, int length) {
    return ("PUT " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + "\r\n\r\n")
        .getBytes(ISO_8859_1);
  }

  private static byte[] random(int size) {
    byte[] bytes = new byte[size];
    new Random(42).nextBytes(bytes);
    return bytes;
  }

  private static String sha256(byte[] bytes) {
    try {
      return Base64.getEncoder().encodeToString(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
