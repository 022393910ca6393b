package io.easyfaas.common.http;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.group.ChannelGroup;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/// How many connections all servers of a process have together: past the limit none is accepted
/// until one has closed, so that the process keeps descriptors for its own work. Those that nobody
/// uses are closed meanwhile. Thread-safe.
@SuppressWarnings("FutureReturnValueIgnored") // Nothing depends on it.
public final class ConnectionLimit {
  /// Asks a connection to close if nobody is using it: others wait to be accepted.
  static final Object MAKE_ROOM = new Object();

  private static final int MAKE_ROOM_SECONDS = 1;

  private final int max;
  private final AtomicInteger open = new AtomicInteger();
  private final LongAdder pauses = new LongAdder();
  private final LongAdder stalled = new LongAdder();
  private final Set<Channel> listeners = ConcurrentHashMap.newKeySet();

  /// @param max connections, at least 1
  public ConnectionLimit(int max) {
    if (max < 1) {
      throw new IllegalArgumentException("max: " + max + " (expected: >= 1)");
    }
    this.max = max;
  }

  /// The most there may be.
  public int max() {
    return max;
  }

  /// Connections there are.
  public int open() {
    return open.get();
  }

  /// How often accepting stopped because of the limit.
  public long pauses() {
    return pauses.sum();
  }

  /// Connections closed because their client took nothing of an answer.
  public long stalledClients() {
    return stalled.sum();
  }

  void stalled() {
    stalled.increment();
  }

  /// The handler of a listening socket; it counts what is accepted.
  ///
  /// @param connections of this socket
  ChannelInboundHandlerAdapter listener(ChannelGroup connections) {
    return new Listener(connections);
  }

  private boolean isFull() {
    return open.get() >= max;
  }

  private void closed() {
    if (open.decrementAndGet() == max - 1) {
      listeners.forEach(listener -> listener.config().setAutoRead(true));
    }
  }

  private final class Listener extends ChannelInboundHandlerAdapter {
    private final ChannelGroup connections;
    private boolean isMakingRoom;

    Listener(ChannelGroup connections) {
      this.connections = connections;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
      listeners.add(ctx.channel());
      if (isFull()) {
        ctx.channel().config().setAutoRead(false);
      }
      ctx.fireChannelActive();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
      listeners.remove(ctx.channel());
      ctx.fireChannelInactive();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object accepted) {
      if (accepted instanceof Channel connection) {
        connection.closeFuture().addListener(_ -> closed());
        if (open.incrementAndGet() >= max) {
          pause(ctx);
        }
      }
      ctx.fireChannelRead(accepted);
    }

    /// Most likely there are no descriptors. Netty accepts again a second later.
    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
      pauses.increment();
      ctx.fireExceptionCaught(cause);
    }

    private void pause(ChannelHandlerContext ctx) {
      pauses.increment();
      listeners.forEach(listener -> listener.config().setAutoRead(false));
      if (!isFull()) { // One closed before all of them had stopped.
        listeners.forEach(listener -> listener.config().setAutoRead(true));
      } else if (!isMakingRoom) {
        isMakingRoom = true;
        makeRoom(ctx);
      }
    }

    private void makeRoom(ChannelHandlerContext ctx) {
      if (!isFull() || !ctx.channel().isOpen()) {
        isMakingRoom = false;
        return;
      }
      connections.forEach(channel -> channel.pipeline().fireUserEventTriggered(MAKE_ROOM));
      ctx.executor().schedule(() -> makeRoom(ctx), MAKE_ROOM_SECONDS, TimeUnit.SECONDS);
    }
  }
}
