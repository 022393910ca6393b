package io.easyfaas.common.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.budget.BudgetUsage;
import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.budget.ByteKind;
import io.easyfaas.common.budget.Reservation;
import io.easyfaas.common.wire.Headers;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Clients that want more than there is, or take more time than there is.
@Timeout(60)
final class PressureTest {
  private static final HttpAddress ANY_PORT = new HttpAddress.Tcp("127.0.0.1", 0);
  private static final int BUDGET_BYTES = 1024 * 1024;
  private static final int BODY_BYTES = 128 * 1024;
  private static final int LONG_BODY_BYTES = 64 * BODY_BYTES;
  private static final String ASK = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final Duration SHORT = Duration.ofMillis(100);

  private final ByteBudget budget = new ByteBudget(BUDGET_BYTES);
  private final ConnectionLimit connections = new ConnectionLimit(400);
  private final EventLoops loops = new EventLoops(1, budget, connections);
  private final Semaphore mayAnswer = new Semaphore(0);
  private final BlockingQueue<String> gone = new LinkedBlockingQueue<>();
  private final AtomicBoolean isCrowded = new AtomicBoolean();
  private final CountDownLatch begun = new CountDownLatch(1);
  private final List<AutoCloseable> open = new ArrayList<>();

  @AfterEach
  @Timeout(60)
  void closeAll() throws Exception {
    mayAnswer.release(10_000);
    for (AutoCloseable each : open) {
      each.close();
    }
    // Whoever answers now is told that its client is gone, as long as there are loops to tell it.
    until(() -> budget.usage().reserved() == 0);
    loops.close();
  }

  @Test
  void aBodyIsNotReadUntilThereIsRoomForIt() throws Exception {
    HttpServer server = server(new Deadlines(LONG, LONG, LONG, LONG, LONG));
    for (int i = 0; i < 4; i++) {
      post(server, "a", "/wait", BODY_BYTES).send(new byte[BODY_BYTES]);
    }
    until(() -> budget.usage().reserved() == 4 * BODY_BYTES);
    RawConnection late = post(server, "a", "/wait", 5 * BODY_BYTES).send(new byte[BODY_BYTES]);
    until(() -> body().waiting() == 1);

    mayAnswer.release(5);
    late.send(new byte[4 * BODY_BYTES]);

    assertThat(late.read().text()).isEqualTo("" + 5 * BODY_BYTES);
    assertThat(body().refused()).isZero();
  }

  @Test
  void whoHasSentAllAndClosesItsSideGetsItsAnswerWhenThereIsRoom() throws Exception {
    HttpServer server = server(new Deadlines(LONG, LONG, LONG, LONG, LONG));
    Reservation others = fill();
    String chunk = "8000\r\n" + "x".repeat(0x8000) + "\r\n";
    List<RawConnection> clients =
        List.of(
            post(server, "a", "/wait", 10_000).send(new byte[10_000]),
            post(server, "a", "/wait", BODY_BYTES).send(new byte[BODY_BYTES]),
            post(server, "a", "/stream", BODY_BYTES).send(new byte[BODY_BYTES]),
            connect(server)
                .send("POST /wait HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
                .send(chunk + chunk + "0\r\n\r\n"),
            connect(server)
                .send("POST /wait HTTP/1.1\r\nHost: x\r\nX: " + "x".repeat(10_000))
                .send("\r\nContent-Length: 10000\r\n\r\n")
                .send(new byte[10_000]));
    for (RawConnection client : clients) {
      client.endInput();
    }
    settle(server);
    mayAnswer.release(4);

    others.close();

    List<String> answers = new ArrayList<>();
    for (RawConnection client : clients) {
      answers.add(client.readFinal().text());
      assertThat(client.isClosedByServer()).isTrue();
    }
    assertThat(answers).containsExactly("10000", "131072", "131072", "65536", "10000");
  }

  @Test
  void whoClosesItsSideBeforeTheEndOfABodyThatWaitsForRoomIsRefused() throws Exception {
    HttpServer server = server(new Deadlines(LONG, LONG, LONG, LONG, LONG));
    Reservation others = fill();
    RawConnection client =
        post(server, "a", "/wait", BODY_BYTES).send(new byte[BODY_BYTES - 1]).endInput();
    settle(server);

    others.close();

    assertThat(client.readFinal().status()).isEqualTo(400);
    assertThat(client.isClosedByServer()).isTrue();
  }

  @Test
  void ofABodyThatWaitsForRoomTheSystemKeepsLittle() throws Exception {
    HttpServer server = server(new Deadlines(LONG, LONG, LONG, LONG, LONG));
    String post = "POST /stream HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n";
    try (SocketChannel client =
        SocketChannel.open(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), server.port()))) {
      client.setOption(StandardSocketOptions.SO_SNDBUF, 32 * 1024);
      client.write(ISO_8859_1.encode(post.formatted(LONG_BODY_BYTES))); // By it the system sees
      client.write(ByteBuffer.allocate(LONG_BODY_BYTES)); // that the connection gets on well.
      client.read(ByteBuffer.allocate(1000));
      Reservation others = fill();

      client.write(ISO_8859_1.encode(post.formatted(LONG_BODY_BYTES)));
      client.configureBlocking(false);
      int taken = 0;
      for (int idle = 0; idle < 100; Thread.sleep(2)) {
        int step = client.write(ByteBuffer.allocate(BODY_BYTES));
        taken += step;
        idle = step == 0 ? idle + 1 : 0;
      }

      assertThat(taken).isLessThan(4 * BODY_BYTES);
      others.close();
    }
  }

  @Test
  void aBodyThatFindsNoRoomInTimeIsRefusedWithTheLimit() throws Exception {
    HttpServer server = server(new Deadlines(LONG, LONG, LONG, LONG, SHORT));
    post(server, "a", "/wait", BUDGET_BYTES).send(new byte[BUDGET_BYTES]);
    until(() -> budget.usage().reserved() == BUDGET_BYTES);
    RawConnection late = post(server, "b", "/wait", BODY_BYTES).send(new byte[BODY_BYTES]);

    HttpResponse response = late.read();
    assertThat(response.status()).isEqualTo(503);
    assertThat(response.header("Retry-After")).isPresent();
    assertThat(response.text())
        .contains("ServiceUnavailableException")
        .contains("memory for requests and answers: 131072 bytes more (expected: at most 0 of");
    assertThat(late.isClosedByServer()).isTrue();
    assertThat(body().refused()).isEqualTo(1);
  }

  @Test
  void aChunkedBodyIsReservedInSteps() throws Exception {
    HttpServer server = server(new Deadlines(LONG, LONG, LONG, LONG, SHORT));
    RawConnection chunked = connect(server);
    chunked.send("POST /wait HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    String chunk = "10000\r\n" + "x".repeat(0x10000) + "\r\n";
    chunked.send(chunk + chunk + chunk);
    until(() -> budget.usage().reserved() > 3 * 0x10000);
    assertThat(budget.usage().reserved()).isLessThan(7 * 0x10000);

    mayAnswer.release();
    assertThat(chunked.send("0\r\n\r\n").read().text()).isEqualTo("" + 3 * 0x10000);
    until(() -> budget.usage().reserved() == 0);
  }

  @Test
  void aChunkedBodyThatIsWholeKeepsNoMoreThanItHas() throws Exception {
    HttpServer server = server(new Deadlines(LONG, LONG, LONG, LONG, SHORT));
    RawConnection chunked = connect(server);
    chunked.send("POST /wait HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    until(() -> budget.usage().reserved() > 0);

    chunked.send("3\r\nabc\r\n0\r\n\r\n");

    until(() -> mayAnswer.hasQueuedThreads());
    assertThat(budget.usage().reserved()).isEqualTo(3);
    mayAnswer.release();
    assertThat(chunked.read().text()).isEqualTo("3");
  }

  @Test
  void whoIsSlowWhileOthersWaitForRoomMakesWay() throws Exception {
    HttpServer server = server(new Deadlines(LONG, LONG, SHORT, LONG, LONG));
    List<RawConnection> slow = new ArrayList<>();
    for (String account : List.of("made up", "made up too", "and so on")) {
      slow.add(post(server, account, "/wait", 3 * BODY_BYTES));
    }
    Reservation rest = budget.open(ByteKind.ANSWER, "rest");
    until(() -> budget.usage().reserved() >= 6 * BODY_BYTES);
    rest.add(BUDGET_BYTES - budget.usage().reserved());
    RawConnection innocent =
        post(server, "innocent", "/wait", BODY_BYTES).send(new byte[BODY_BYTES]);
    mayAnswer.release();
    Thread trickle =
        Thread.ofVirtual()
            .start(() -> {
              try {
                while (true) { // Fast enough, were there room.
                  for (RawConnection each : slow) {
                    each.send(new byte[100]);
                  }
                  Thread.sleep(20);
                }
              } catch (IOException | InterruptedException _) {
                // One of them is closed.
              }
            });

    assertThat(innocent.read().text()).isEqualTo("" + BODY_BYTES);
    trickle.interrupt();
    trickle.join();
    rest.close();
  }

  @Test
  void whoeverSendsNothingLosesItsRoomBeforeThoseWhoWaitGiveUp() throws Exception {
    HttpServer server = server(new Deadlines(LONG, LONG, LONG, LONG, Duration.ofSeconds(3)));
    List<RawConnection> silent = new ArrayList<>();
    for (String account : List.of("made up", "made up too")) {
      silent.add(post(server, account, "/wait", 3 * BODY_BYTES).send(new byte[10]));
    }
    Reservation rest = budget.open(ByteKind.ANSWER, "rest");
    until(() -> budget.usage().reserved() >= 6 * BODY_BYTES);
    rest.add(BUDGET_BYTES - budget.usage().reserved());
    RawConnection innocent =
        post(server, "innocent", "/wait", BODY_BYTES).send(new byte[BODY_BYTES]);
    mayAnswer.release();

    assertThat(innocent.read().text()).isEqualTo("" + BODY_BYTES);
    rest.close();
    for (RawConnection each : silent) {
      each.close();
    }
  }

  @Test
  void aLongHeadThatIsNotWholeMakesWayBeforeThoseWhoWaitGiveUp() throws Exception {
    HttpServer server = server(new Deadlines(LONG, LONG, LONG, LONG, Duration.ofSeconds(3)));
    Reservation others = budget.open(ByteKind.ANSWER, "others");
    String part = "GET /wait HTTP/1.1\r\nHost: x\r\nX: " + "x".repeat(10_000);
    RawConnection slow = connect(server).send(part);
    until(() -> kind(ByteKind.HEAD).bytes() > 0);
    others.add(BUDGET_BYTES - budget.usage().reserved());

    RawConnection innocent = post(server, "innocent", "/wait", 10_000).send(new byte[10_000]);
    mayAnswer.release();

    assertThat(innocent.read().text()).isEqualTo("10000");
    assertThat(slow.read().text()).contains("the request's head is not whole after 750ms");
    others.close();
  }

  @Test
  void aFloodOfBodiesNeverTakesMoreThanThereIsAndLeavesRoomForOthers() throws Exception {
    HttpServer server = server(new Deadlines(LONG, LONG, LONG, LONG, SHORT));
    List<RawConnection> flood = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      flood.add(post(server, "flood", "/wait", BODY_BYTES).send(new byte[BODY_BYTES]));
    }
    until(() -> body().refused() == 56); // Four times 128 KiB is half of all.

    mayAnswer.release(5);
    RawConnection innocent = post(server, "innocent", "/wait", BODY_BYTES);
    assertThat(innocent.send(new byte[BODY_BYTES]).read().text()).isEqualTo("" + BODY_BYTES);
    assertThat(budget.usage().reserved()).isBetween(0L, (long) BUDGET_BYTES);
    int refused = 0;
    for (RawConnection each : flood.subList(4, 60)) {
      refused += each.read().status() == 503 ? 1 : 0;
    }
    assertThat(refused).isEqualTo(56);
  }

  @Test
  void whoHoldsBackTheLastByteLosesItsRoom() throws Exception {
    HttpServer server = server(new Deadlines(LONG, LONG, SHORT, LONG, LONG));
    List<RawConnection> slow = new ArrayList<>();
    for (int i = 0; i < 45; i++) {
      slow.add(post(server, "slow", "/wait", BODY_BYTES).send(new byte[BODY_BYTES - 1]));
    }

    for (RawConnection each : slow) {
      HttpResponse response = each.read();
      assertThat(response.status()).isEqualTo(408);
      assertThat(response.text()).contains("the request's body gets on by ");
      each.close();
    }
    until(() -> budget.usage().reserved() == 0);
  }

  @Test
  void aStreamedBodyThatDoesNotGetOnIsRefused() throws Exception {
    HttpServer server = server(new Deadlines(LONG, LONG, SHORT, LONG, LONG));
    RawConnection slow = post(server, "a", "/stream", BODY_BYTES).send(new byte[100]);

    assertThat(slow.read().status()).isEqualTo(408);
    slow.close();
    until(() -> budget.usage().reserved() == 0);
  }

  @Test
  void aStreamedBodyThatIsSlowMakesWayWhenOthersWereRefusedItsPlace() throws Exception {
    isCrowded.set(true);
    HttpServer server = server(new Deadlines(LONG, LONG, LONG, LONG, Duration.ofSeconds(1)));
    RawConnection slow = post(server, "a", "/stream", BODY_BYTES).send(new byte[1000]);

    HttpResponse refused = slow.read();

    assertThat(refused.status()).isEqualTo(408);
    assertThat(refused.text()).contains("in 250ms (expected: at least 16384)");
  }

  @Test
  void aStreamedBodyWhoseReaderIsSlowIsNotLate() throws Exception {
    HttpServer server = server(new Deadlines(LONG, LONG, SHORT, LONG, LONG));
    int size = 8 * BODY_BYTES; // More than is read ahead.
    RawConnection patient = post(server, "a", "/wait-stream", size).send(new byte[size]);
    RawConnection slow = post(server, "a", "/stream", BODY_BYTES).send(new byte[100]);
    assertThat(slow.read().status()).as("a window and more has passed").isEqualTo(408);
    mayAnswer.release();

    assertThat(patient.read().text()).isEqualTo("" + size);
  }

  @Test
  void headsThatAreNotWholeAreCountedAndLate() throws Exception {
    HttpServer server = server(new Deadlines(LONG, Duration.ofSeconds(1), LONG, LONG, LONG));
    String part = "GET /wait HTTP/1.1\r\nHost: x\r\nX: " + "x".repeat(15_000);
    List<RawConnection> flood = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      flood.add(connect(server).send(part));
    }
    until(() -> kind(ByteKind.HEAD).waiting() > 0); // 16 times 32 KiB is half of all.
    assertThat(kind(ByteKind.HEAD).bytes()).isLessThanOrEqualTo(BUDGET_BYTES / 2);

    mayAnswer.release();
    RawConnection innocent = post(server, "innocent", "/wait", BODY_BYTES);
    assertThat(innocent.send(new byte[BODY_BYTES]).read().status()).isEqualTo(200);
    List<Integer> statuses = new ArrayList<>();
    for (RawConnection each : flood) {
      statuses.add(each.read().status());
      each.close();
    }
    assertThat(statuses).containsOnly(408);
    until(() -> budget.usage().reserved() == 0);
  }

  @Test
  void aHeadThatComesInPiecesNeedsNoRoom() throws Exception {
    HttpServer server = server(new Deadlines(LONG, LONG, LONG, LONG, LONG));
    mayAnswer.release();
    RawConnection client = post(server, "a", "/wait", BODY_BYTES).send(new byte[BODY_BYTES]);
    assertThat(client.read().status()).as("a body before it").isEqualTo(200);
    until(() -> budget.usage().reserved() == 0);
    Reservation others = fill();
    client.send("POST /wait HTTP/1.1\r\nHost");
    settle(server);
    mayAnswer.release();

    client.send(": x\r\nContent-Length: 0\r\n\r\n");

    assertThat(client.read().status()).isEqualTo(200);
    others.close();
  }

  @Test
  void aLongHeadIsReadOnWhenThereIsRoomForIt() throws Exception {
    HttpServer server = server(new Deadlines(LONG, LONG, LONG, LONG, LONG));
    Reservation others = fill();
    RawConnection client =
        connect(server).send("POST /wait HTTP/1.1\r\nHost: x\r\nX: " + "x".repeat(10_000));
    until(() -> kind(ByteKind.HEAD).waiting() == 1);

    others.close();
    mayAnswer.release();
    client.send("\r\nContent-Length: 0\r\n\r\n");

    assertThat(client.read().status()).isEqualTo(200);
    until(() -> budget.usage().reserved() == 0);
  }

  @Test
  void aLongHeadThatFindsNoRoomInTimeIsRefusedWithTheLimit() throws Exception {
    HttpServer server = server(new Deadlines(LONG, LONG, LONG, LONG, SHORT));
    Reservation others = fill();
    RawConnection client =
        connect(server).send("POST /wait HTTP/1.1\r\nHost: x\r\nX: " + "x".repeat(10_000));

    HttpResponse refused = client.read();

    assertThat(refused.status()).isEqualTo(503);
    assertThat(refused.header("Retry-After")).isPresent();
    assertThat(refused.text()).contains("memory for requests and answers: 32768 bytes more");
    others.close();
  }

  @Test
  void aHeadOfOneByteNowAndThenIsLate() throws Exception {
    HttpServer server = server(new Deadlines(LONG, Duration.ofMillis(50), LONG, LONG, LONG));
    RawConnection slow = connect(server);
    String head = "GET /wait HTTP/1.1\r\nHost: x\r\nX: " + "x".repeat(10_000);
    for (int i = 0; slow.available() == 0; i++) {
      slow.send(head.substring(i, i + 1));
      Thread.sleep(1);
    }

    HttpResponse response = slow.read();
    assertThat(response.status()).isEqualTo(408);
    assertThat(response.text()).contains("the request's head is not whole after 50ms");
    assertThat(slow.isClosedByServer()).isTrue();
  }

  @Test
  void emptyLinesKeepNoConnection() throws Exception {
    HttpServer server = server(new Deadlines(SHORT, LONG, LONG, LONG, LONG));
    RawConnection slow = connect(server);

    try {
      for (int i = 0; i < 5000; i++) { // More would be a head that is too large.
        slow.send("\r\n");
        Thread.sleep(1);
      }
      throw new AssertionError("still open after all its idle time");
    } catch (IOException _) {
      assertThat(slow.isClosedByServer()).isTrue();
    }
  }

  @Test
  void whoTakesNothingOfItsAnswerLosesIt() throws Exception {
    HttpServer server = server(new Deadlines(LONG, LONG, LONG, SHORT, LONG));
    List<RawConnection> stuck = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      stuck.add(connect(server).send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n"));
    }

    until(() -> connections.stalledClients() == 10);
    until(() -> budget.usage().reserved() == 0);
    for (RawConnection each : stuck) {
      assertThat(each.readToEnd().length).isLessThan(Large.BYTES);
    }
  }

  @Test
  void anAnswerIsCountedUntilItIsTaken() throws Exception {
    HttpServer server = server(new Deadlines(LONG, LONG, LONG, LONG, LONG));
    RawConnection client = connect(server).send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
    until(() -> kind(ByteKind.ANSWER).bytes() >= Large.BYTES);

    assertThat(client.read().body()).hasSize(Large.BYTES);
    until(() -> budget.usage().reserved() == 0);
  }

  @Test
  void aLongAnswerWaitsForRoom() throws Exception {
    HttpServer server = server(new Deadlines(LONG, LONG, LONG, LONG, LONG));
    Reservation others = fill();
    RawConnection client = connect(server).send("GET /page HTTP/1.1\r\nHost: x\r\n\r\n");
    until(() -> kind(ByteKind.ANSWER).waiting() == 1);

    others.close();

    assertThat(client.read().body()).hasSize(BODY_BYTES);
    until(() -> budget.usage().reserved() == 0);
  }

  @Test
  void aLongAnswerThatFindsNoRoomIsRefusedWithTheLimit() throws Exception {
    HttpServer server = server(new Deadlines(LONG, LONG, LONG, LONG, LONG));
    Reservation others = fill();
    RawConnection client = connect(server).send("GET /page HTTP/1.1\r\nHost: x\r\n\r\n");

    HttpResponse refused = client.read();

    assertThat(refused.status()).isEqualTo(503);
    assertThat(refused.header("Retry-After")).isPresent();
    assertThat(refused.text()).contains("memory for requests and answers: 131072 bytes more");
    others.close();
  }

  @Test
  void moreHeadersThanAnyoneNeedsAreRefused() throws Exception {
    HttpServer server = server(Deadlines.DEFAULT);
    RawConnection client = connect(server);

    client.send("GET /wait HTTP/1.1\r\n" + "a:\r\n".repeat(200) + "\r\n");

    assertThat(client.read().status()).isEqualTo(431);
  }

  @Test
  void aClientThatClosesItsSideGetsItsAnswers() throws Exception {
    HttpServer server = server(Deadlines.DEFAULT);
    String request = "POST /wait HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx";
    RawConnection client = connect(server).send(request + request).endInput();
    mayAnswer.release(2);

    assertThat(client.readFinal().text()).isEqualTo("1");
    assertThat(client.readFinal().text()).isEqualTo("1");
    assertThat(client.isClosedByServer()).isTrue();
  }

  @Test
  void aClientThatClosesItsSideGetsAnAnswerThatItsSystemDoesNotTakeAtOnce() throws Exception {
    HttpServer server = server(Deadlines.DEFAULT);
    RawConnection client = connect(server);
    client.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n").endInput();

    assertThat(client.readFinal().body()).hasSize(Large.BYTES);
    assertThat(client.isClosedByServer()).isTrue();
  }

  @Test
  void aClientThatClosesItsSideGetsAnAnswerThatTakesLong() throws Exception {
    HttpServer server = server(Deadlines.DEFAULT);
    RawConnection client = connect(server);
    client.send("POST /wait HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx").endInput();
    assertThat(client.read().status()).as("it is asked whether it is there").isEqualTo(100);
    mayAnswer.release();

    assertThat(client.read().text()).isEqualTo("1");
    assertThat(client.isClosedByServer()).isTrue();
  }

  @Test
  void anOldClientThatClosesItsSideGetsItsAnswerAndNothingElse() throws Exception {
    HttpServer server = server(Deadlines.DEFAULT);
    RawConnection client = connect(server);
    client.send("POST /wait HTTP/1.0\r\nContent-Length: 1\r\n\r\nx").endInput();
    until(() -> mayAnswer.hasQueuedThreads());
    mayAnswer.release();

    assertThat(client.read().text()).isEqualTo("1");
    assertThat(client.isClosedByServer()).isTrue();
  }

  @Test
  void aRequestThatEndsBeforeItIsWholeIsRefused() throws Exception {
    HttpServer server = server(Deadlines.DEFAULT);
    for (String part :
        List.of(
            "GET /wait HTT",
            "GET /wait HTTP/1.1\r\nHo",
            "POST /wait HTTP/1.1\r\nContent-Length: 9\r\n\r\nx")) {
      RawConnection client = connect(server).send(part).endInput();

      assertThat(client.read().status()).as(part).isEqualTo(400);
      assertThat(client.isClosedByServer()).isTrue();
    }
  }

  @Test
  void whoeverAnswersHearsOfAClientThatIsGone() throws Exception {
    HttpServer server = server(Deadlines.DEFAULT);
    RawConnection client = connect(server).send("GET /front HTTP/1.1\r\nHost: x\r\n\r\n");
    begun.await();

    client.close();

    assertThat(gone.take()).isEqualTo("gone");
  }

  @Test
  void noMoreConnectionsAreAcceptedThanThereMayBe() throws Exception {
    ConnectionLimit few = new ConnectionLimit(2);
    try (EventLoops own = new EventLoops(1, budget, few);
        HttpServer server =
            HttpServer.start(ANY_PORT, own, BODY_BYTES, request -> answer(request))) {
      RawConnection one = new RawConnection(server.port());
      RawConnection two = new RawConnection(server.port());
      one.send("POST /wait HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
      two.send("POST /wait HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
      until(() -> few.pauses() > 0);
      RawConnection three = new RawConnection(server.port());
      three.send("POST /wait HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
      assertThat(few.open()).isEqualTo(2);

      mayAnswer.release(3);
      assertThat(one.read().text()).isEqualTo("0");
      assertThat(two.read().text()).isEqualTo("0");
      assertThat(three.read().text()).as("those nobody uses make room").isEqualTo("0");
      one.close();
      two.close();
      three.close();
    }
  }

  @Test
  void whereAllConnectionsAreAtWorkNewOnesAreServedByAccountsAndWhetherItIsAliveIsTold()
      throws Exception {
    ConnectionLimit few = new ConnectionLimit(2);
    HttpHandler handler =
        new HttpHandler() {
          @Override
          public HttpResponse handle(HttpRequest request) {
            return request.method().equals("GET") ? HttpResponse.text(200, "yes") : answer(request);
          }

          @Override
          public boolean isAtHand(HttpRequest request) {
            return request.target().equals("/alive");
          }
        };
    try (EventLoops own = new EventLoops(1, budget, few);
        HttpServer server = HttpServer.start(ANY_PORT, own, BODY_BYTES, handler);
        RawConnection two = new RawConnection(server.port()).send(ASK)) {
      RawConnection one = new RawConnection(server.port()).send(ASK);
      until(() -> few.pauses() > 0);
      List<RawConnection> others = new ArrayList<>();
      for (int i = 0; i < 40; i++) {
        others.add(new RawConnection(server.port())); // Silent.
      }
      for (int i = 0; i < 12; i++) {
        others.add(new RawConnection(server.port()).send(ASK)); // An account's share.
        int atWork = 2 + 1 + i;
        until(() -> mayAnswer.getQueueLength() == atWork);
      }

      for (int i = 0; i < 3; i++) {
        assertThat(askAsGuest(server, "/alive", "").text()).isEqualTo("yes");
        HttpResponse refused = askAsGuest(server, "/any", "");
        assertThat(refused.status()).isEqualTo(503);
        assertThat(refused.header("Retry-After")).isPresent();
        assertThat(refused.text()).contains("all 2 connections are in use");
        assertThat(askAsGuest(server, "/any", "another").text()).isEqualTo("yes");
      }
      mayAnswer.release(2 + 12);
      assertThat(one.read().status()).isEqualTo(200);
      assertThat(two.read().status()).isEqualTo(200);
      for (RawConnection each : others) {
        each.close();
      }
      one.close();
      until(() -> few.open() == 1);
      mayAnswer.release();
      assertServed(server);
    }
  }

  @Test
  void whoTakesAPlaceThatWasFreeForAMomentKeepsNoGuestOut() throws Exception {
    ConnectionLimit few = new ConnectionLimit(2);
    try (EventLoops own = new EventLoops(1, budget, few);
        HttpServer server = HttpServer.start(ANY_PORT, own, BODY_BYTES, this::answerGetsAtOnce);
        RawConnection two = new RawConnection(server.port()).send(ASK)) {
      RawConnection one = new RawConnection(server.port()).send(ASK);
      until(() -> few.pauses() > 0);
      assertThat(askAsGuest(server, "/any", "guest").text()).isEqualTo("yes");
      until(() -> few.open() == 2);
      for (int i = 0; i < 5; i++) {
        one.close();
        one = new RawConnection(server.port()).send(ASK);
        assertThat(askAsGuest(server, "/any", "guest").text()).isEqualTo("yes");
      }
      mayAnswer.release(7);
      assertThat(two.read().status()).isEqualTo(200);
      one.close();
    }
  }

  private HttpResponse answerGetsAtOnce(HttpRequest request) {
    return request.method().equals("GET") ? HttpResponse.text(200, "yes") : answer(request);
  }

  private static HttpResponse askAsGuest(HttpServer server, String target, String account)
      throws Exception {
    String head =
        "GET %s HTTP/1.1\r\nHost: x\r\n%s: %s\r\n\r\n"
            .formatted(target, Headers.ACCOUNT_ID, account);
    try (RawConnection guest = new RawConnection(server.port()).send(head)) {
      HttpResponse response = guest.read();
      assertThat(guest.isClosedByServer()).isTrue();
      return response;
    }
  }

  @Test
  void connectionsWhoseBodyDribblesMakeWayAndLockNobodyOut() throws Exception {
    ConnectionLimit few = new ConnectionLimit(4);
    try (EventLoops own = new EventLoops(1, budget, few);
        HttpServer server =
            HttpServer.start(ANY_PORT, own, BODY_BYTES, request -> answer(request))) {
      List<RawConnection> slow = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        slow.add(
            new RawConnection(server.port())
                .send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8000\r\n\r\nx"));
      }
      mayAnswer.release();
      assertServed(server);
      for (RawConnection each : slow) {
        each.close();
      }
    }
  }

  @Test
  void connectionsThatTakeNothingOfTheirAnswersMakeWayAndLockNobodyOut() throws Exception {
    ConnectionLimit few = new ConnectionLimit(4);
    Deadlines patient = new Deadlines(LONG, LONG, LONG, LONG, LONG);
    try (EventLoops own = new EventLoops(1, budget, few);
        HttpServer server =
            HttpServer.start(
                ANY_PORT, own, BODY_BYTES, request -> answer(request), _ -> this::keep, patient)) {
      List<RawConnection> stuck = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        stuck.add(new RawConnection(server.port()).send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n"));
      }
      until(() -> kind(ByteKind.ANSWER).bytes() >= 4L * Large.BYTES);
      mayAnswer.release();

      assertServed(server);
      for (RawConnection each : stuck) {
        each.close();
      }
    }
  }

  @Test
  void whoHasJustComeIsLetBeForLongEnoughToAsk() throws Exception {
    ConnectionLimit few = new ConnectionLimit(2);
    try (EventLoops own = new EventLoops(1, budget, few);
        HttpServer server =
            HttpServer.start(ANY_PORT, own, BODY_BYTES, request -> answer(request));
        RawConnection busy = new RawConnection(server.port())) {
      busy.send(ASK);
      until(() -> mayAnswer.hasQueuedThreads());

      List<RawConnection> all = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        RawConnection each = new RawConnection(server.port());
        all.add(each);
        each.send(ASK);
      }
      mayAnswer.release(6);

      for (RawConnection each : all) {
        assertThat(each.read().status()).isEqualTo(200);
        each.close();
      }
    }
  }

  @Test
  void connectionsThatAskForNothingMakeWayOldestFirst() throws Exception {
    ConnectionLimit few = new ConnectionLimit(4);
    try (EventLoops own = new EventLoops(1, budget, few);
        HttpServer server =
            HttpServer.start(ANY_PORT, own, BODY_BYTES, request -> answer(request))) {
      RawConnection kept = new RawConnection(server.port());
      mayAnswer.release();
      kept.send(ASK);
      assertThat(kept.read().status()).isEqualTo(200);
      RawConnection refused = new RawConnection(server.port());
      refused.send("no HTTP\r\n\r\n");
      assertThat(refused.read().status()).isEqualTo(400); // And lingers.
      RawConnection half = new RawConnection(server.port());
      half.send("POST / HTTP/1.1\r\n");

      List<RawConnection> others = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        others.add(new RawConnection(server.port()).send("POST / HTTP/1.1\r\n"));
      }
      until(() -> few.displaced() >= 9);

      assertThat(refused.isClosedByServer()).isTrue();
      assertThat(half.isClosedByServer()).isTrue();
      mayAnswer.release();
      kept.send(ASK);
      assertThat(kept.read().status()).as("who has asked before").isEqualTo(200);
      mayAnswer.release();
      RawConnection late = others.getLast().send("Host: x\r\nContent-Length: 0\r\n\r\n");
      assertThat(late.read().status()).as("the latest").isEqualTo(200);
      kept.close();
      refused.close();
      half.close();
      for (RawConnection other : others) {
        other.close();
      }
    }
  }

  @Test
  void aConnectionThatIsClosedMakesWayForNobody() throws Exception {
    ConnectionLimit few = new ConnectionLimit(2);
    try (EventLoops own = new EventLoops(1, budget, few);
        HttpServer server =
            HttpServer.start(
                ANY_PORT, own, BODY_BYTES, request -> answer(request), _ -> this::answerAtOnce)) {
      for (int i = 0; i < 3; i++) { // Answered and closed while part of the next one is read.
        RawConnection over = new RawConnection(server.port());
        over.send("GET /now HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\nGET");
        assertThat(over.read().status()).isEqualTo(200);
        assertThat(over.isClosedByServer()).isTrue();
        over.close();
      }
      until(() -> few.open() == 0);
      List<RawConnection> busy = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        RawConnection asks = new RawConnection(server.port());
        busy.add(asks.send(ASK));
        int asked = Math.min(i + 1, 2);
        until(() -> mayAnswer.getQueueLength() == asked);
      }

      assertThat(few.displaced()).isZero();
      assertThat(few.open()).isEqualTo(2);
      mayAnswer.release(3);
      for (RawConnection each : busy) {
        assertThat(each.read().status()).isEqualTo(200);
        each.close();
      }
    }
  }

  @Test
  void whatALoopHasNoMemoryForIsAnsweredAndOwnsNothing() throws Exception {
    HttpServer server = server(new Deadlines(LONG, LONG, LONG, LONG, LONG));
    RawConnection client = post(server, "a", "/no-memory", BODY_BYTES).send(new byte[BODY_BYTES]);

    HttpResponse response = client.read();

    assertThat(response.status()).isEqualTo(503);
    assertThat(response.header("Retry-After")).isPresent();
    until(() -> budget.usage().reserved() == 0);
  }

  private boolean answerAtOnce(Exchange exchange) {
    if (!exchange.target().equals("/now")) {
      return false;
    }
    exchange.takeBody().release();
    exchange.answer(HttpResponse.text(200, "now"));
    return true;
  }

  private Reservation fill() {
    Reservation others = budget.open(ByteKind.ANSWER, "others");
    others.add(BUDGET_BYTES);
    return others;
  }

  /// Lets the loop see what was sent before.
  private void settle(HttpServer server) throws IOException {
    RawConnection other = connect(server);
    other.send("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n");
    assertThat(other.read().status()).isEqualTo(404);
  }

  /// Routes that say whether others want the places of their streams.
  private record Crowd(Router router, AtomicBoolean crowded) implements HttpHandler {
    @Override
    public HttpResponse handle(HttpRequest request) {
      return router.handle(request);
    }

    @Override
    public BodyRule bodyRule(HttpRequest head) {
      return router.bodyRule(head);
    }

    @Override
    public boolean isCrowded() {
      return crowded.get();
    }
  }

  private HttpServer server(Deadlines deadlines) {
    Router router =
        Router.builder().route("POST", "/wait", (request, _) -> answer(request)).stream(
                "POST",
                "/stream",
                BodyRule.streamed(100 * BODY_BYTES, 0),
                (request, _) -> count(request))
            .stream(
                "POST",
                "/wait-stream",
                BodyRule.streamed(100 * BODY_BYTES, 0),
                (request, _) -> {
                  mayAnswer.acquireUninterruptibly();
                  return count(request);
                })
            .route("GET", "/page", (_, _) -> new HttpResponse(200, Map.of(), new byte[BODY_BYTES]))
            .build();
    HttpServer server =
        HttpServer.start(
            ANY_PORT,
            loops,
            BUDGET_BYTES,
            new Crowd(router, isCrowded),
            _ -> this::keep,
            deadlines);
    open.addFirst(server);
    return server;
  }

  /// An answer the system's buffers do not take whole, though they could.
  private static final class Large {
    static final int BYTES = 1024 * 1024;
  }

  /// Keeps what it gets and never answers, if there is memory; or answers what nobody has reserved.
  private boolean keep(Exchange exchange) {
    if (exchange.target().equals("/no-memory")) {
      throw new OutOfMemoryError("Cannot reserve 65536 bytes of direct buffer memory");
    }
    if (exchange.target().equals("/large")) {
      exchange.answer(new HttpResponse(200, Map.of(), new byte[Large.BYTES]));
      return true;
    }
    if (!exchange.target().equals("/front")) {
      return false;
    }
    exchange.takeBody().release();
    exchange.whenLeft(() -> gone.add("gone"));
    begun.countDown();
    return true;
  }

  private HttpResponse answer(HttpRequest request) {
    mayAnswer.acquireUninterruptibly();
    return HttpResponse.text(200, "" + request.body().length);
  }

  private static HttpResponse count(HttpRequest request) {
    try {
      return HttpResponse.text(200, "" + request.stream().readAllBytes().length);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Who comes now is answered.
  private void assertServed(HttpServer server) throws IOException {
    try (RawConnection innocent = connect(server)) {
      assertThat(innocent.send(ASK).read().status()).isEqualTo(200);
    }
  }

  private RawConnection post(HttpServer server, String account, String path, int length)
      throws IOException {
    return connect(server)
        .send(
            "POST %s HTTP/1.1\r\nHost: x\r\n%s: %s\r\nContent-Length: %d\r\n\r\n"
                .formatted(path, Headers.ACCOUNT_ID, account, length));
  }

  private RawConnection connect(HttpServer server) throws IOException {
    RawConnection connection = new RawConnection(server.port());
    open.addLast(connection);
    return connection;
  }

  private BudgetUsage.Part body() {
    return kind(ByteKind.BODY);
  }

  private BudgetUsage.Part kind(ByteKind kind) {
    return Objects.requireNonNull(budget.usage().kinds().get(kind));
  }

  /// Waits for what the event loop will do.
  private static void until(BooleanSupplier condition) throws InterruptedException {
    while (!condition.getAsBoolean()) {
      Thread.sleep(2);
    }
  }
}
