package io.easyfaas.common.http;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpUtil;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/// A blocking HTTP/1.1 client of one server, over TCP or a unix socket, for virtual threads.
/// Connections are kept and reused. Thread-safe.
@SuppressWarnings("FutureReturnValueIgnored") // A failed write closes the channel.
public final class HttpClient implements AutoCloseable {
  private static final int CONNECT_TIMEOUT_MILLIS = 3000;
  private static final int MAX_RESPONSE_BYTES = 96 * 1024 * 1024;
  private static final int MAX_IDLE_CONNECTIONS = 64;

  private final HttpAddress address;
  private final Bootstrap bootstrap;
  private final ConcurrentLinkedDeque<Channel> idle = new ConcurrentLinkedDeque<>();
  private volatile boolean closed;

  /// Creates a client; nothing is connected yet.
  public HttpClient(HttpAddress address, EventLoops loops) {
    this.address = address;
    this.bootstrap =
        new Bootstrap()
            .group(loops.group())
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_TIMEOUT_MILLIS)
            .handler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    channel
                        .pipeline()
                        .addLast(
                            new HttpClientCodec(),
                            new HttpObjectAggregator(MAX_RESPONSE_BYTES),
                            new Exchange());
                  }
                });
    switch (address) {
      case HttpAddress.Tcp _ ->
          bootstrap.channel(EpollSocketChannel.class).option(ChannelOption.TCP_NODELAY, true);
      case HttpAddress.Unix _ -> bootstrap.channel(EpollDomainSocketChannel.class);
    }
  }

  /// The server's address.
  public HttpAddress address() {
    return address;
  }

  /// Sends a request and waits for the whole answer.
  ///
  /// A kept connection that turns out to be closed is replaced once, without the caller noticing.
  ///
  /// @param timeout the longest wait, connecting excluded (3 s)
  /// @throws HttpException when there is no connection or no answer in time
  public HttpResponse send(HttpRequest request, Duration timeout) {
    Channel kept = idle.pollFirst();
    while (kept != null) {
      if (kept.isActive()) {
        try {
          return exchange(kept, request, timeout);
        } catch (ClosedBeforeAnswerException _) {
          break; // The server closed it while it was idle: a new connection decides.
        }
      }
      kept = idle.pollFirst();
    }
    try {
      return exchange(connect(), request, timeout);
    } catch (ClosedBeforeAnswerException e) {
      throw new HttpException(request.method() + " " + address + request.target() + ": closed", e);
    }
  }

  /// Closes the kept connections. Safe to call twice.
  @Override
  public void close() {
    closed = true;
    for (Channel channel = idle.poll(); channel != null; channel = idle.poll()) {
      channel.close().awaitUninterruptibly();
    }
  }

  private Channel connect() {
    SocketAddress remote =
        switch (address) {
          case HttpAddress.Tcp tcp -> new InetSocketAddress(tcp.host(), tcp.port());
          case HttpAddress.Unix unix -> new DomainSocketAddress(unix.path().toFile());
        };
    ChannelFuture connected = bootstrap.connect(remote).awaitUninterruptibly();
    if (!connected.isSuccess()) {
      throw new HttpException(
          "connect to " + address + ": " + connected.cause().getMessage(), connected.cause());
    }
    return connected.channel();
  }

  private HttpResponse exchange(Channel channel, HttpRequest request, Duration timeout)
      throws ClosedBeforeAnswerException {
    CompletableFuture<HttpResponse> answer = new CompletableFuture<>();
    channel.pipeline().get(Exchange.class).expect(answer);
    String host =
        address instanceof HttpAddress.Tcp tcp ? tcp.host() + ":" + tcp.port() : "localhost";
    ChannelFuture written = channel.writeAndFlush(NettyHttp.message(request, host));
    written.addListener(result -> {
      if (!result.isSuccess()) {
        answer.completeExceptionally(new ClosedBeforeAnswerException(result.cause()));
      }
    });
    try {
      HttpResponse response = answer.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
      keep(channel);
      return response;
    } catch (TimeoutException e) {
      channel.close();
      throw new HttpException(
          request.method() + " " + address + request.target() + ": no answer in " + timeout, e);
    } catch (InterruptedException e) {
      channel.close();
      Thread.currentThread().interrupt();
      throw new HttpException(request.method() + " " + address + ": interrupted", e);
    } catch (ExecutionException e) {
      channel.close();
      if (e.getCause() instanceof ClosedBeforeAnswerException closedEarly) {
        throw closedEarly;
      }
      throw new HttpException(request.method() + " " + address + request.target(), e);
    }
  }

  private void keep(Channel channel) {
    if (!channel.isActive() || closed || idle.size() >= MAX_IDLE_CONNECTIONS) {
      channel.close();
    } else {
      idle.addFirst(channel);
    }
  }

  /// The connection ended before any byte of an answer came.
  private static final class ClosedBeforeAnswerException extends Exception {
    ClosedBeforeAnswerException(@Nullable Throwable cause) {
      super("connection closed before the answer", cause);
    }
  }

  /// Hands one answer to the one waiting caller. Confined to the connection's event loop, but for
  /// {@link #expect}.
  private static final class Exchange extends SimpleChannelInboundHandler<FullHttpResponse> {
    private volatile @Nullable CompletableFuture<HttpResponse> waiting;

    void expect(CompletableFuture<HttpResponse> answer) {
      waiting = answer;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, FullHttpResponse message) {
      CompletableFuture<HttpResponse> answer = waiting;
      waiting = null;
      if (!HttpUtil.isKeepAlive(message)) {
        ctx.close();
      }
      if (answer != null) {
        answer.complete(
            new HttpResponse(
                message.status().code(),
                NettyHttp.headers(message.headers()),
                ByteBufUtil.getBytes(message.content())));
      }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
      fail(new ClosedBeforeAnswerException(null));
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
      fail(cause);
      ctx.close();
    }

    private void fail(Throwable cause) {
      CompletableFuture<HttpResponse> answer = waiting;
      waiting = null;
      if (answer != null) {
        answer.completeExceptionally(cause);
      }
    }
  }
}
