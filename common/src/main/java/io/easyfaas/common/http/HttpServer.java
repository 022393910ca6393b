package io.easyfaas.common.http;

import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.budget.ByteKind;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.EventLoop;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// An HTTP/1.1 server on TCP or a unix socket. Thread-safe.
///
/// Each request is handed to the handler on a virtual thread: whole, or with a body that is still
/// coming where {@link HttpHandler#bodyRule} says so. A caller that answers some requests on the
/// event loop itself puts a {@link LoopHandler} in front.
public final class HttpServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(HttpServer.class);
  private static final int BACKLOG = 1024;
  // Of up to 64 KiB each: who sends much leaves the loop to others now and then.
  private static final int READS_A_TURN = 2;
  // What the system may keep of a TCP connection each way, so that what nobody takes, or what there
  // is no room for, waits where it is counted: by itself it would keep up to 4 MiB of an answer.
  private static final int SYSTEM_BYTES = 128 * 1024;
  private static final Duration DRAIN_POLL = Duration.ofMillis(20);

  private final Channel listener;
  private final ChannelGroup connections;
  private final ExecutorService threads;
  private final HttpAddress address;
  private final AtomicBoolean draining;

  private HttpServer(
      Channel listener,
      ChannelGroup connections,
      ExecutorService threads,
      HttpAddress address,
      AtomicBoolean draining) {
    this.draining = draining;
    this.listener = listener;
    this.connections = connections;
    this.threads = threads;
    this.address = address;
  }

  /// Starts listening.
  ///
  /// @param maxBodyBytes a larger request body is answered with 413
  /// @throws HttpException when the address is in use or not allowed; the message names it
  public static HttpServer start(
      HttpAddress address, EventLoops loops, int maxBodyBytes, HttpHandler handler) {
    return start(address, loops, maxBodyBytes, handler, _ -> _ -> false);
  }

  /// Starts listening, with a handler that sees whole requests before the thread's does.
  ///
  /// @param front makes the handler of a new connection, which lives on the given event loop
  /// @throws HttpException when the address is in use or not allowed; the message names it
  public static HttpServer start(
      HttpAddress address,
      EventLoops loops,
      int maxBodyBytes,
      HttpHandler handler,
      Function<EventLoop, LoopHandler> front) {
    return start(address, loops, maxBodyBytes, handler, front, Deadlines.DEFAULT);
  }

  /// Starts listening with another patience.
  static HttpServer start(
      HttpAddress address,
      EventLoops loops,
      int maxBodyBytes,
      HttpHandler handler,
      Function<EventLoop, LoopHandler> front,
      Deadlines deadlines) {
    ChannelGroup connections = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE, true);
    ExecutorService threads =
        Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("http-", 0).factory());
    AtomicBoolean draining = new AtomicBoolean();
    Admission admission = new Admission(handler, maxBodyBytes, loops.budget());
    Turns turns = new Turns(handler.atOnce());
    ServerBootstrap bootstrap =
        new ServerBootstrap()
            .group(loops.group())
            .option(ChannelOption.SO_BACKLOG, BACKLOG)
            .handler(loops.connections().listener(connections))
            .childOption(
                ChannelOption.RECVBUF_ALLOCATOR,
                new AdaptiveRecvByteBufAllocator().maxMessagesPerRead(READS_A_TURN))
            .childOption(
                ChannelOption.WRITE_BUFFER_WATER_MARK,
                new WriteBufferWaterMark(ByteBudget.FREE_BYTES, 2 * ByteBudget.FREE_BYTES))
            // A client that has sent all it wants to say may close its side and wait.
            .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
            .childHandler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    connections.add(channel);
                    ReadGate gate = fill(channel, loops, admission, deadlines);
                    channel
                        .pipeline()
                        .addLast(
                            new LoopRequests(front.apply(channel.eventLoop()), draining),
                            new RequestDispatcher(
                                handler,
                                threads,
                                turns,
                                gate,
                                loops.connections(),
                                loops.budget(),
                                draining));
                  }
                });
    SocketAddress socketAddress =
        switch (address) {
          case HttpAddress.Tcp tcp -> {
            bootstrap
                .channel(EpollServerSocketChannel.class)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_RCVBUF, SYSTEM_BYTES)
                .childOption(EpollChannelOption.TCP_NOTSENT_LOWAT, (long) SYSTEM_BYTES);
            yield new InetSocketAddress(tcp.host(), tcp.port());
          }
          case HttpAddress.Unix unix -> {
            bootstrap.channel(EpollServerDomainSocketChannel.class);
            SocketFile.removeStale(unix.path());
            yield new DomainSocketAddress(unix.path().toFile());
          }
        };
    ChannelFuture bound = bootstrap.bind(socketAddress).awaitUninterruptibly();
    if (!bound.isSuccess()) {
      threads.close();
      throw new HttpException(Unreached.listening(address, bound.cause()), bound.cause());
    }
    HttpAddress actual = address;
    if (address instanceof HttpAddress.Unix unix) {
      SocketFile.restrict(unix.path());
    } else if (bound.channel().localAddress() instanceof InetSocketAddress inet
        && address instanceof HttpAddress.Tcp tcp) {
      actual = new HttpAddress.Tcp(tcp.host(), inet.getPort());
    }
    LOG.info("listening on {}", actual);
    return new HttpServer(bound.channel(), connections, threads, actual, draining);
  }

  /// Everything between the socket and those who answer.
  static ReadGate fill(
      Channel channel, EventLoops loops, Admission admission, Deadlines deadlines) {
    ReadGate gate = new ReadGate(channel);
    RequestDecoder decoder =
        new RequestDecoder(
            gate,
            new WaitingBytes(gate, loops.budget().open(ByteKind.HEAD, Admission.client(channel))));
    gate.whenOpen(decoder::goOn);
    RequestReader reader =
        new RequestReader(admission, gate, loops.connections(), decoder, deadlines);
    RequestSequencer sequencer =
        new RequestSequencer(
            deadlines.idle(), gate, loops.connections(), reader::isReading, decoder);
    decoder.heldUpWhile(() -> sequencer.isHoldingUp(channel));
    channel
        .pipeline()
        .addLast(
            new WriteWatch(loops.budget(), loops.connections(), deadlines),
            decoder,
            new AnswerEncoder(),
            reader,
            sequencer);
    return gate;
  }

  /// The address, with the port the system chose.
  public HttpAddress address() {
    return address;
  }

  /// The TCP port.
  ///
  /// @throws IllegalStateException for a unix socket
  public int port() {
    if (address instanceof HttpAddress.Tcp tcp) {
      return tcp.port();
    }
    throw new IllegalStateException(address + " has no port");
  }

  /// Has every answer from now on end its connection, and waits until no connection has a request
  /// that is not answered. Requests go on to be accepted: it is for the handlers to refuse them.
  ///
  /// @param patience the longest wait
  public void drain(Duration patience) {
    draining.set(true);
    long deadline = System.nanoTime() + patience.toNanos();
    while (isBusy() && System.nanoTime() - deadline < 0) {
      try {
        Thread.sleep(DRAIN_POLL);
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  private boolean isBusy() {
    List<Future<Boolean>> connected = new ArrayList<>();
    for (Channel connection : connections) {
      connected.add(connection.eventLoop().submit(() -> isBusy(connection)));
    }
    return connected.stream()
        .anyMatch(busy -> Boolean.TRUE.equals(busy.awaitUninterruptibly().getNow()));
  }

  private static boolean isBusy(Channel connection) {
    RequestSequencer requests = connection.pipeline().get(RequestSequencer.class);
    ChannelOutboundBuffer unsent = connection.unsafe().outboundBuffer();
    return requests != null
        && (requests.isBusy() || (unsent != null && unsent.totalPendingWriteBytes() > 0));
  }

  /// Stops listening and closes every connection. Safe to call twice.
  @Override
  public void close() {
    listener.close().awaitUninterruptibly();
    connections.close().awaitUninterruptibly();
    threads.shutdownNow();
    if (address instanceof HttpAddress.Unix unix) {
      try {
        Files.deleteIfExists(unix.path());
      } catch (IOException e) {
        LOG.warn("remove {}: {}", unix.path(), e.getMessage());
      }
    }
  }
}
