package io.easyfaas.controller.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.wire.ChannelAddress;
import io.easyfaas.controller.HandedOver;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A listening TCP socket that somebody else made is served on the runner's loop.
class SandboxServerTest {
  @TempDir private Path directory;
  private RunnerHarness harness;
  private io.netty.channel.unix.Socket listening;
  private InetSocketAddress address;
  private final Echo echo = new Echo();

  @BeforeEach
  void start() throws IOException {
    harness = new RunnerHarness(directory);
    listening = io.netty.channel.unix.Socket.newSocketStream();
    listening.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    listening.listen(64);
    address = listening.localAddress();
    ChannelAddress offered = harness.channel.offer(9001, echo).orElseThrow();
    assertThat(offered.listenPort()).isEqualTo(9001);
    HandedOver connection = HandedOver.connect(Path.of(offered.socket()));
    connection.send(listening);
    connection.write(HandedOver.greeting(HandedOver.LISTENER, offered.token()));
    listening.close();
    assertThat(harness.handOver(offered).frames()).isNotNull();
    harness.channel.awaitRunner(RunnerHarness.WAIT);
  }

  @AfterEach
  void stop() throws IOException {
    harness.close();
  }

  @Test
  void whatConnectsIsAnswered() throws IOException {
    try (java.net.Socket client = connect()) {
      assertThat(ask(client, "hello")).isEqualTo("hello");
    }
  }

  @Test
  void onlySoManyAreAcceptedAtOnceAndTheOthersWait() throws IOException {
    List<java.net.Socket> clients = new ArrayList<>();
    for (int i = 0; i < SandboxServer.MAX_CONNECTIONS; i++) {
      clients.add(connect());
      assertThat(ask(clients.getLast(), "x")).isEqualTo("x");
    }
    java.net.Socket waiting = connect();
    waiting.getOutputStream().write("y".getBytes(UTF_8));
    harness.settle();
    harness.settle();
    assertThat(echo.open).hasValue(SandboxServer.MAX_CONNECTIONS);

    clients.getFirst().close();

    assertThat(new String(waiting.getInputStream().readNBytes(1), UTF_8)).isEqualTo("y");
    assertThat(echo.most).hasValue(SandboxServer.MAX_CONNECTIONS);
    for (java.net.Socket client : clients) {
      client.close();
    }
    waiting.close();
  }

  @Test
  void whoConnectsWithoutEndWaits() throws IOException {
    // Each costs 1/256 of what a sandbox may take in 100 ms.
    for (int i = 0; i < 600; i++) {
      connect().close();
    }
    try (java.net.Socket client = connect()) {
      assertThat(ask(client, "still there")).isEqualTo("still there");
    }
    assertThat(echo.most).hasValueLessThanOrEqualTo(SandboxServer.MAX_CONNECTIONS);
  }

  @Test
  void theEndOfAGenerationEndsTheListenerAndWhatItAccepted() throws IOException {
    java.net.Socket client = connect();
    assertThat(ask(client, "x")).isEqualTo("x");

    harness.channel.end();

    assertThat(client.getInputStream().read()).isEqualTo(-1);
    TestWait.until(
        "nobody listens",
        () -> {
          try (java.net.Socket refused = connect()) {
            return refused.isClosed();
          } catch (IOException _) {
            return true;
          }
        });
    assertThatThrownBy(this::connect).isInstanceOf(IOException.class);
  }

  private java.net.Socket connect() throws IOException {
    java.net.Socket socket = new java.net.Socket(address.getAddress(), address.getPort());
    socket.setSoTimeout((int) RunnerHarness.WAIT.toMillis());
    return socket;
  }

  private static String ask(java.net.Socket client, String text) throws IOException {
    client.getOutputStream().write(text.getBytes(UTF_8));
    return new String(client.getInputStream().readNBytes(text.length()), UTF_8);
  }

  @Sharable
  private static final class Echo extends ChannelInboundHandlerAdapter {
    final AtomicInteger open = new AtomicInteger();
    final AtomicInteger most = new AtomicInteger();

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
      most.accumulateAndGet(open.incrementAndGet(), Math::max);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
      open.decrementAndGet();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
      var _ = ctx.writeAndFlush(Unpooled.copiedBuffer((ByteBuf) message));
      ((ByteBuf) message).release();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
      var _ = ctx.close();
    }
  }
}
