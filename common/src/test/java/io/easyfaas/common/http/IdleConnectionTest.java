package io.easyfaas.common.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.budget.ByteBudget;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Connections that nobody uses, those that only look like it, and those that are about to close.
@Timeout(60)
final class IdleConnectionTest {
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final Duration SHORT = Duration.ofMillis(100);
  private static final int LARGE_BYTES = 16 << 20; // No system's buffers take it whole.
  private static final int PENDING_PARTS = 20; // Of 1 KiB.

  private final ConnectionLimit connections = new ConnectionLimit(100);
  private final EventLoops loops = new EventLoops(1, new ByteBudget(64 << 20), connections);
  private final CountDownLatch answered = new CountDownLatch(1);

  @AfterEach
  void close() {
    loops.close();
  }

  @Test
  void whoTakesItsAnswerIsNotIdle() throws Exception {
    try (HttpServer server = server(new Deadlines(SHORT, LONG, LONG, LONG, LONG));
        RawConnection slow = new RawConnection(server.port())) {
      slow.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
      answered.await();
      for (int i = 0; i < 2; i++) { // The time that it takes to close these has passed for it too.
        try (RawConnection idle = new RawConnection(server.port())) {
          assertThat(idle.isClosedByServer()).isTrue();
        }
      }

      assertThat(slow.read().body()).hasSize(LARGE_BYTES);
    }
  }

  @Test
  void whoTakesNothingOfSmallAnswersIsWatchedToo() throws Exception {
    try (HttpServer server = server(new Deadlines(LONG, LONG, LONG, SHORT, LONG));
        RawConnection stuck = new RawConnection(server.port())) {
      stuck.send("GET /parts HTTP/1.1\r\nHost: x\r\n\r\n");

      until(() -> connections.stalledClients() == 1);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "no HTTP\r\n\r\n",
        "POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nx",
      })
  void aConnectionThatOnlyWaitsForItsCloseIsNotBusy(String request) throws Exception {
    try (HttpServer server = server(Deadlines.DEFAULT);
        RawConnection client = new RawConnection(server.port())) {
      assertThat(client.send(request).read().header("Connection")).contains("close");

      server.drain(LONG);

      assertThat(connections.open()).as("it has not waited for the close").isEqualTo(1);
    }
  }

  private HttpServer server(Deadlines deadlines) {
    return HttpServer.start(
        new HttpAddress.Tcp("127.0.0.1", 0),
        loops,
        1000,
        Router.builder().stream(
                "POST",
                "/early",
                BodyRule.streamed(1 << 20, 0),
                (_, _) -> HttpResponse.text(200, "x"))
            .build(),
        _ -> this::answer,
        deadlines);
  }

  private boolean answer(Exchange exchange) {
    switch (exchange.target()) {
      case "/large" -> {
        exchange.answer(new HttpResponse(200, Map.of(), new byte[LARGE_BYTES]));
        answered.countDown();
      }
      case "/parts" -> {
        exchange.begin(200, Map.of(), -1);
        for (int i = 0; i < PENDING_PARTS; i++) {
          sendOn(exchange);
        }
      }
      default -> {
        return false;
      }
    }
    return true;
  }

  /// Sends a part, and another one as soon as it is taken.
  private static void sendOn(Exchange exchange) {
    ByteBuf part = Unpooled.directBuffer(1024).writeZero(1024);
    exchange.part(part, _ -> sendOn(exchange));
    part.release();
  }

  /// Waits for what the event loop will do.
  private static void until(BooleanSupplier condition) throws InterruptedException {
    while (!condition.getAsBoolean()) {
      Thread.sleep(2);
    }
  }
}
