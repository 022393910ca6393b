package io.easyfaas.common.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.budget.ByteKind;
import io.easyfaas.common.budget.Reservation;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.embedded.EmbeddedChannel;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Clients that take their answers, or do not.
final class WriteWatchTest {
  private static final int ANSWER_BYTES = 1 << 20;
  private static final int WINDOW_SECONDS = 30;
  private static final int MIN_BYTES = WINDOW_SECONDS * Deadlines.MIN_BYTES_PER_SECOND;

  private final ByteBudget budget = new ByteBudget(64L << 20);
  private final ConnectionLimit connections = new ConnectionLimit(1);
  private final Client client = new Client();

  WriteWatchTest() {
    Duration any = Duration.ofSeconds(1);
    Duration room = Duration.ofSeconds(1);
    client
        .pipeline()
        .addLast(
            new WriteWatch(
                budget,
                connections,
                new Deadlines(any, any, any, Duration.ofSeconds(WINDOW_SECONDS), room)));
    client.freezeTime();
  }

  @AfterEach
  void nothingIsLeft() {
    var _ = client.close();
    assertThat(budget.usage().reserved()).isZero();
  }

  @Test
  void whoTakesNothingLosesItsAnswer() {
    send(ANSWER_BYTES);

    pass(WINDOW_SECONDS - 1);
    assertThat(client.isOpen()).isTrue();

    pass(1);
    assertThat(client.isOpen()).isFalse();
    assertThat(connections.stalledClients()).isEqualTo(1);
  }

  @Test
  void whoTakesALittleNowAndThenLosesItsAnswer() {
    send(ANSWER_BYTES);

    for (int i = 0; i < WINDOW_SECONDS; i++) {
      client.take(Deadlines.MIN_BYTES_PER_SECOND - 1);
      pass(1);
    }

    assertThat(client.isOpen()).isFalse();
  }

  @Test
  void whoIsSlowMakesWayWhileOthersWait() {
    send(ANSWER_BYTES);
    Reservation all = budget.open(ByteKind.BODY, "others");
    all.add(budget.total());
    Reservation waiting = budget.open(ByteKind.BODY, "waiting");
    waiting.whenAvailable(1, Runnable::run, () -> {});

    client.take(Deadlines.MIN_BYTES_PER_SECOND * Deadlines.TIMES_WHEN_SHORT / 2);
    pass(1);

    assertThat(client.isOpen()).isFalse();
    waiting.close();
    all.close();
  }

  @Test
  void whoIsSlowAndSteadyGetsItsAnswer() {
    send(ANSWER_BYTES);

    int windows = 0;
    while (!client.isWritable()) {
      client.take(MIN_BYTES);
      pass(WINDOW_SECONDS);
      windows++;
    }

    assertThat(windows).isGreaterThan(10);
    assertThat(client.isOpen()).isTrue();
  }

  @Test
  void whatIsWrittenMeanwhileDoesNotHideWhatIsTaken() {
    send(ANSWER_BYTES);

    for (int i = 0; i < 10; i++) {
      client.take(2 * MIN_BYTES);
      send(2 * MIN_BYTES);
      pass(WINDOW_SECONDS);
    }

    assertThat(client.isOpen()).isTrue();
  }

  @Test
  void whatIsWrittenIsNotTaken() {
    send(ANSWER_BYTES);
    send(ANSWER_BYTES);

    pass(WINDOW_SECONDS);

    assertThat(client.isOpen()).isFalse();
  }

  @Test
  void aClientThatHasTakenAllIsNotWatched() {
    send(ANSWER_BYTES);
    client.take(ANSWER_BYTES);
    pass(10 * WINDOW_SECONDS);
    assertThat(client.isOpen()).isTrue();

    send(ANSWER_BYTES);
    pass(WINDOW_SECONDS);
    assertThat(client.isOpen()).as("the next answer has its own time").isFalse();
  }

  private void send(int bytes) {
    var _ = client.writeAndFlush(Unpooled.buffer(bytes).writeZero(bytes));
  }

  private void pass(int seconds) {
    for (int i = 0; i < seconds; i++) {
      client.advanceTimeBy(1, TimeUnit.SECONDS);
      client.runScheduledPendingTasks();
    }
  }

  /// A socket whose other side takes what it is told to.
  private static final class Client extends EmbeddedChannel {
    private int wanted;

    void take(int bytes) {
      wanted += bytes;
      unsafe().flush();
    }

    @Override
    protected void doWrite(ChannelOutboundBuffer in) {
      while (wanted > 0 && in.current() instanceof ByteBuf next) {
        int step = Math.min(wanted, next.readableBytes());
        wanted -= step;
        in.removeBytes(step);
      }
    }
  }
}
