package io.easyfaas.controller.runtime;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import io.netty.channel.ServerChannelRecvByteBufAllocator;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.unix.FileDescriptor;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Serves a listening TCP socket that was made inside a sandbox's network namespace. Confined to
/// the runner's event loop.
///
/// Every accepted connection is a descriptor of the engine's, so there are few at a time; more wait
/// in the sandbox. Who connects and closes without end is slowed down like one who prints.
@SuppressWarnings("FutureReturnValueIgnored") // Closing is all that can be done.
final class SandboxServer extends ChannelInboundHandlerAdapter implements PrintBudget.Source {
  private static final Logger LOG = LoggerFactory.getLogger(SandboxServer.class);
  static final int MAX_CONNECTIONS = 8;
  // What accepting takes, in bytes of printing that take as long.
  private static final int ACCEPT_COST_BYTES = 16 * 1024;

  private final EventLoop loop;
  private final PrintBudget budget;
  private final ChannelHandler connection;
  private final EpollServerSocketChannel server;
  private final Set<Channel> open = new HashSet<>();

  /// Takes over a descriptor.
  ///
  /// @param connection initialises what is accepted; shared by all connections
  SandboxServer(
      FileDescriptor descriptor, RunnerLoop loop, PrintBudget budget, ChannelHandler connection) {
    this.loop = loop.loop;
    this.budget = budget;
    this.connection = connection;
    this.server = new EpollServerSocketChannel(descriptor.intValue());
    // One at a time: else one turn takes more than there may be.
    server
        .config()
        .setRecvByteBufAllocator(new ServerChannelRecvByteBufAllocator().maxMessagesPerRead(1));
    server.pipeline().addLast(this);
  }

  /// Starts accepting.
  void open() {
    budget.add(this);
    loop.register(server)
        .addListener(done -> {
          if (!done.isSuccess()) {
            LOG.error("a sandbox's listener is not served", done.cause());
            server.close();
          }
        });
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    Channel accepted = (Channel) message;
    open.add(accepted);
    accepted
        .closeFuture()
        .addListener(_ -> {
          open.remove(accepted);
          accept();
        });
    accepted.pipeline().addLast(connection);
    loop.register(accepted)
        .addListener(done -> {
          if (!done.isSuccess()) {
            accepted.close();
          }
        });
    budget.spend(ACCEPT_COST_BYTES);
    accept();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    LOG.warn("a sandbox's listener: {}", cause.toString());
    budget.pauseForMemory(); // Descriptors of the engine's, most likely: it must not spin on it.
  }

  @Override
  public void reading(boolean on) {
    accept();
  }

  /// Stops accepting and closes what was accepted. Safe to call twice.
  void close() {
    server.close();
    List.copyOf(open).forEach(Channel::close);
  }

  private void accept() {
    server.config().setAutoRead(open.size() < MAX_CONNECTIONS && !budget.isPaused());
  }
}
