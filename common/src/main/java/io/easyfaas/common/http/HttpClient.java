package io.easyfaas.common.http;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.config.Durations;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.TooLongHttpContentException;
import io.netty.util.AttributeKey;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/// A blocking HTTP/1.1 client of one server, over TCP or a unix socket, for virtual threads.
/// Connections are kept and reused. Answers wait for room in the account of the loops before they
/// are read. Thread-safe.
@SuppressWarnings("FutureReturnValueIgnored") // A failed write closes the channel.
public final class HttpClient implements AutoCloseable {
  private static final int CONNECT_TIMEOUT_MILLIS = 3000;
  private static final int MAX_RESPONSE_BYTES = 96 * 1024 * 1024;
  private static final int MAX_IDLE_CONNECTIONS = 64;

  // Shorter than HttpServer keeps an unused connection: ours are never closed under a request.
  private static final Duration MAX_IDLE = Duration.ofSeconds(30);

  // RFC 9110 §9.2.2. Only these may reach a server twice.
  private static final Set<String> IDEMPOTENT =
      Set.of("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE");

  private static final AttributeKey<ClientConnection> CONNECTION =
      AttributeKey.valueOf(HttpClient.class, "connection");

  private final HttpAddress address;
  private final int maxResponseBytes;
  private final Bootstrap bootstrap;
  private final ConcurrentLinkedDeque<ClientConnection> idle = new ConcurrentLinkedDeque<>();
  private volatile boolean closed;

  /// Creates a client; nothing is connected yet.
  public HttpClient(HttpAddress address, EventLoops loops) {
    this(address, loops, MAX_RESPONSE_BYTES);
  }

  /// Creates a client that takes no larger answers; nothing is connected yet.
  public HttpClient(HttpAddress address, EventLoops loops, int maxResponseBytes) {
    this(address, loops, maxResponseBytes, Deadlines.DEFAULT);
  }

  /// Creates a client with another patience.
  HttpClient(HttpAddress address, EventLoops loops, int maxResponseBytes, Deadlines deadlines) {
    this.address = address;
    this.maxResponseBytes = maxResponseBytes;
    this.bootstrap =
        new Bootstrap()
            .group(loops.group())
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_TIMEOUT_MILLIS)
            .handler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    ClientConnection connection = new ClientConnection(channel, idle::remove);
                    channel.attr(CONNECTION).set(connection);
                    channel
                        .pipeline()
                        .addLast(
                            new HttpClientCodec(),
                            new InterimAnswers(),
                            new AnswerRoom(loops.budget(), deadlines),
                            new HttpObjectAggregator(maxResponseBytes),
                            connection);
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
  /// When a kept connection turns out to be closed, the request is sent once more on a new one,
  /// without the caller noticing; but not when it may have reached the server and is not
  /// idempotent. A body that is a stream goes over a new connection to begin with; it is closed in
  /// any case, and not read to its end when the server answers before. What it throws that is no
  /// {@link IOException} comes out as it is, and costs the connection too.
  ///
  /// @param timeout the longest wait, connecting excluded (3 s); with a stream, for the server to
  ///   take each part of it, and then for the answer
  /// @throws HttpException when there is no connection or no answer in time, or a larger one than
  ///   is taken, or the body cannot be read, or, with an {@link
  ///   io.easyfaas.common.wire.ApiException} as its cause, there is no room for the answer
  /// @throws IllegalArgumentException when a header has a character that HTTP does not allow
  public HttpResponse send(HttpRequest request, Duration timeout) {
    ClientConnection kept = request.content() instanceof HttpBody.Stream ? null : pollIdle();
    if (kept != null) {
      try {
        return exchange(kept, request, timeout);
      } catch (ClosedBeforeAnswerException e) {
        if (e.requestSent && !IDEMPOTENT.contains(request.method())) {
          throw failure(request, e);
        }
      }
    }
    try {
      return exchange(connect(), request, timeout);
    } catch (ClosedBeforeAnswerException e) {
      throw failure(request, e);
    }
  }

  /// Closes the kept connections. Safe to call twice.
  @Override
  public void close() {
    closed = true;
    for (ClientConnection kept = idle.poll(); kept != null; kept = idle.poll()) {
      kept.channel().close().awaitUninterruptibly();
    }
  }

  private @Nullable ClientConnection pollIdle() {
    for (ClientConnection kept = idle.pollFirst(); kept != null; kept = idle.pollFirst()) {
      if (kept.channel().isActive() && kept.idleNanos() < MAX_IDLE.toNanos()) {
        return kept;
      }
      kept.channel().close();
    }
    return null;
  }

  private ClientConnection connect() {
    SocketAddress remote =
        switch (address) {
          case HttpAddress.Tcp tcp -> new InetSocketAddress(tcp.host(), tcp.port());
          case HttpAddress.Unix unix -> new DomainSocketAddress(unix.path().toFile());
        };
    ChannelFuture connected = bootstrap.connect(remote).awaitUninterruptibly();
    if (!connected.isSuccess()) {
      throw HttpException.unreached(
          Unreached.connecting(address, connected.cause()), connected.cause());
    }
    return connected.channel().attr(CONNECTION).get();
  }

  private HttpResponse exchange(ClientConnection connection, HttpRequest request, Duration timeout)
      throws ClosedBeforeAnswerException {
    Channel channel = connection.channel();
    HttpMessage message = message(connection, request);
    CompletableFuture<HttpResponse> answer = new CompletableFuture<>();
    try {
      write(connection, request, message, answer, timeout);
      HttpResponse response = answer.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
      if (request.content() instanceof HttpBody.Stream) {
        channel.close(); // The body may not be whole.
      } else {
        keep(connection);
      }
      return response;
    } catch (IOException e) {
      channel.close();
      throw failure(request, e);
    } catch (TimeoutException e) {
      channel.close();
      throw new HttpException(
          request.method()
              + " "
              + address
              + request.target()
              + ": no answer in "
              + Durations.text(timeout),
          e);
    } catch (InterruptedException e) {
      channel.close();
      Thread.currentThread().interrupt();
      throw new HttpException(request.method() + " " + address + ": interrupted", e);
    } catch (ExecutionException e) {
      channel.close();
      if (e.getCause() instanceof ClosedBeforeAnswerException closedEarly) {
        throw closedEarly;
      }
      throw failure(request, e.getCause() == null ? e : e.getCause());
    } catch (RuntimeException | Error e) {
      channel.close(); // Whatever a body's stream throws.
      throw e;
    }
  }

  private HttpMessage message(ClientConnection connection, HttpRequest request) {
    String host = address instanceof HttpAddress.Tcp tcp ? tcp.authority() : "localhost";
    try {
      return request.content() instanceof HttpBody.Stream
          ? NettyHttp.head(request, host)
          : NettyHttp.message(request, host);
    } catch (IllegalArgumentException e) {
      keep(connection); // A header that cannot be sent says nothing about the connection.
      throw e;
    }
  }

  private void write(
      ClientConnection connection,
      HttpRequest request,
      HttpMessage message,
      CompletableFuture<HttpResponse> answer,
      Duration timeout)
      throws IOException, TimeoutException, InterruptedException {
    connection.expect(answer);
    ChannelFuture written = connection.channel().writeAndFlush(message);
    if (request.content() instanceof HttpBody.Stream body) {
      BodySender.send(connection.channel(), body, answer::isDone, timeout);
      return;
    }
    written.addListener(result -> {
      if (!result.isSuccess()) {
        // The server cannot act on a request it has not got whole.
        answer.completeExceptionally(new ClosedBeforeAnswerException(false, result.cause()));
      }
    });
  }

  private HttpException failure(HttpRequest request, Throwable cause) {
    String question = request.method() + " " + address + request.target() + ": ";
    return cause instanceof TooLongHttpContentException
        ? HttpException.tooLarge(
            question
                + "the answer is too large (expected: at most "
                + new ByteSize(maxResponseBytes)
                + ")",
            cause)
        : new HttpException(question + cause.getMessage(), cause);
  }

  private void keep(ClientConnection connection) {
    if (!connection.isReusable()
        || !connection.channel().isActive()
        || idle.size() >= MAX_IDLE_CONNECTIONS) {
      connection.channel().close();
      return;
    }
    connection.idles();
    idle.addFirst(connection);
    if (closed) {
      close(); // It came back after close() had emptied the list.
    }
  }
}
