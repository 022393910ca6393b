package io.easyfaas.common.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.budget.ByteKind;
import io.easyfaas.common.budget.Reservation;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// How many blocking requests are at work at once, and how many answers wait for room.
@Timeout(60)
final class TurnsTest {
  private static final int BUDGET_BYTES = 1 << 20;
  private static final int CLIENTS = 40;

  private final ByteBudget budget = new ByteBudget(BUDGET_BYTES);
  private final EventLoops loops = new EventLoops(1, budget, new ConnectionLimit(100));
  private final Semaphore mayAnswer = new Semaphore(0);
  private final AtomicInteger atWork = new AtomicInteger();
  private final AtomicInteger most = new AtomicInteger();
  private final HttpServer server =
      HttpServer.start(
          new HttpAddress.Tcp("127.0.0.1", 0),
          loops,
          1024,
          Router.builder()
              .atOnce(2)
              .route("GET", "/work", (_, _) -> work())
              .atHand("/health", (_, _) -> HttpResponse.text(200, "alive"))
              .route("GET", "/long", (_, _) -> HttpResponse.text(200, "x".repeat(20_000)))
              .build());

  @AfterEach
  void close() {
    mayAnswer.release(CLIENTS);
    server.close();
    loops.close();
  }

  private HttpResponse work() {
    most.accumulateAndGet(atWork.incrementAndGet(), Math::max);
    mayAnswer.acquireUninterruptibly();
    atWork.decrementAndGet();
    return HttpResponse.text(200, "done");
  }

  private List<RawConnection> ask(int clients, String path) throws Exception {
    List<RawConnection> all = new ArrayList<>();
    for (int i = 0; i < clients; i++) {
      all.add(
          new RawConnection(server.port()).send("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n"));
    }
    return all;
  }

  @Test
  void noMoreRequestsAreAtWorkAtOnceThanTheHandlerSays() throws Exception {
    List<RawConnection> clients = ask(CLIENTS, "/work");

    while (mayAnswer.getQueueLength() < 2) {
      Thread.onSpinWait();
    }
    mayAnswer.release(CLIENTS);

    for (RawConnection client : clients) {
      assertThat(client.read().text()).isEqualTo("done");
    }
    assertThat(most).hasValue(2);
  }

  @Test
  void whatIsAtHandWaitsForNoTurn() throws Exception {
    List<RawConnection> clients = ask(CLIENTS, "/work");

    assertThat(ask(1, "/health").getFirst().read().text()).isEqualTo("alive");

    mayAnswer.release(CLIENTS);
    for (RawConnection client : clients) {
      assertThat(client.read().text()).isEqualTo("done");
    }
  }

  @Test
  void whatNamesNothingIsAnsweredInItsTurn() throws Exception {
    assertThat(ask(1, "/%zz").getFirst().read().status()).isEqualTo(400);
  }

  @Test
  void answersThatWaitForRoomKeepNobodyFromWork() throws Exception {
    Reservation others = budget.open(ByteKind.ANSWER, "others");
    others.add(BUDGET_BYTES);
    List<RawConnection> waiting = ask(CLIENTS, "/long");
    mayAnswer.release();

    assertThat(ask(1, "/work").getFirst().read().text()).isEqualTo("done");

    others.close();
    for (RawConnection client : waiting) {
      assertThat(client.read().status()).isIn(200, 503);
    }
  }

  @Test
  void onlyAFewAnswersWaitForRoom() throws Exception {
    Reservation others = budget.open(ByteKind.ANSWER, "others");
    others.add(BUDGET_BYTES);

    List<RawConnection> clients = ask(CLIENTS, "/long");

    while (budget.usage().of(ByteKind.ANSWER).refused() < CLIENTS - 16) {
      Thread.onSpinWait();
    }
    assertThat(budget.usage().of(ByteKind.ANSWER).waiting()).isLessThanOrEqualTo(16);
    others.close();
    for (RawConnection client : clients) {
      assertThat(client.read().status()).isIn(200, 503);
    }
  }
}
