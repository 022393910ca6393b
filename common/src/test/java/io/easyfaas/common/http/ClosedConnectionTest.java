package io.easyfaas.common.http;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.budget.ByteKind;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.DuplexChannel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// What is left of a connection that is closed: nothing. A timer would keep all of it until it goes
/// off, however many come and go meanwhile.
final class ClosedConnectionTest {
  private static final long NO_TIMER = -1;
  private static final int BUDGET_BYTES = 1 << 20;
  private static final String POST = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n";

  private final ByteBudget budget = new ByteBudget(BUDGET_BYTES);
  private final EventLoops loops = new EventLoops(1, budget, new ConnectionLimit(10));
  private final Client client = new Client();

  ClosedConnectionTest() {
    HttpServer.fill(
        client,
        loops,
        new Admission(Router.builder().build(), BUDGET_BYTES, budget),
        Deadlines.DEFAULT);
    client.pipeline().fireChannelActive();
  }

  @AfterEach
  void nothingIsLeftOfIt() {
    assertThat(client.runScheduledPendingTasks()).as("something watches it").isNotEqualTo(NO_TIMER);
    var _ = client.pipeline().close(); // The channel's own method ends all timers.
    client.runPendingTasks();

    client.releaseOutbound();
    loops.close();
    assertThat(client.runScheduledPendingTasks()).isEqualTo(NO_TIMER);
  }

  @Test
  void thatHasAskedForNothing() {}

  @Test
  void thatHasSentPartOfAHead() {
    send("GET / HTTP/1.1\r\n");
  }

  @Test
  void whoseHeadWaitsForRoom() {
    budget.open(ByteKind.BODY, "others").add(BUDGET_BYTES);

    send("GET / HTTP/1.1\r\nX: " + "x".repeat(10_000));
  }

  @Test
  void thatHasSentPartOfABody() {
    send(POST + "\r\nx");
  }

  @Test
  void whoseBodyWaitsForRoom() {
    budget.open(ByteKind.BODY, "others").add(BUDGET_BYTES);

    send(POST + "\r\nx");
  }

  @Test
  void thatWaitsForItsAnswer() {
    send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  }

  @Test
  void thatTakesNothingOfItsAnswer() {
    client.takesNothing = true;
    var _ = client.writeOneOutbound(Unpooled.wrappedBuffer(new byte[BUDGET_BYTES]));
    client.flushOutbound();
  }

  @Test
  void thatWasRefused() {
    send("no HTTP\r\n\r\n");
  }

  private void send(String text) {
    client.writeInbound(Unpooled.copiedBuffer(text, US_ASCII));
  }

  /// A socket with two sides.
  private static final class Client extends EmbeddedChannel implements DuplexChannel {
    private boolean takesNothing;

    @Override
    protected void doWrite(ChannelOutboundBuffer in) throws Exception {
      if (!takesNothing) {
        super.doWrite(in);
      }
    }

    @Override
    public boolean isInputShutdown() {
      return false;
    }

    @Override
    public boolean isOutputShutdown() {
      return false;
    }

    @Override
    public boolean isShutdown() {
      return false;
    }

    @Override
    public ChannelFuture shutdownInput() {
      return newSucceededFuture();
    }

    @Override
    public ChannelFuture shutdownInput(ChannelPromise promise) {
      return promise.setSuccess();
    }

    @Override
    public ChannelFuture shutdownOutput() {
      return newSucceededFuture();
    }

    @Override
    public ChannelFuture shutdownOutput(ChannelPromise promise) {
      return promise.setSuccess();
    }

    @Override
    public ChannelFuture shutdown() {
      return newSucceededFuture();
    }

    @Override
    public ChannelFuture shutdown(ChannelPromise promise) {
      return promise.setSuccess();
    }
  }
}
