package io.easyfaas.common.http;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.concurrent.TimeUnit;

/// The event loops that every server and client of one process share. Thread-safe.
public final class EventLoops implements AutoCloseable {
  private static final int CLOSE_TIMEOUT_SECONDS = 5;

  private final EventLoopGroup group;

  /// Starts the loops.
  ///
  /// @param count threads, at least 1
  public EventLoops(int count) {
    group =
        new MultiThreadIoEventLoopGroup(
            count, new DefaultThreadFactory("loop", true), EpollIoHandler.newFactory());
  }

  /// The Netty group, for the few classes that speak Netty.
  public EventLoopGroup group() {
    return group;
  }

  /// Stops the loops; connections still open are closed. Blocks at most 5 s.
  @Override
  public void close() {
    group
        .shutdownGracefully(0, CLOSE_TIMEOUT_SECONDS, TimeUnit.SECONDS)
        .awaitUninterruptibly(CLOSE_TIMEOUT_SECONDS, TimeUnit.SECONDS);
  }
}
