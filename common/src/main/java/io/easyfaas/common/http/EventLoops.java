package io.easyfaas.common.http;

import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.budget.MemoryPlan;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What every server and client of one process share: event loops, the account of the bytes that
/// are on their way, and the number of connections. Thread-safe.
public final class EventLoops implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(EventLoops.class);
  private static final int CLOSE_TIMEOUT_SECONDS = 5;

  // For a process that plans nothing: commands and tests.
  private static final long DEFAULT_BUDGET_BYTES = 64L << 20;
  private static final int DEFAULT_CONNECTIONS = 4096;

  private final EventLoopGroup group;
  private final ByteBudget budget;
  private final ConnectionLimit connections;

  /// Starts the loops.
  ///
  /// @param count threads, at least 1
  public EventLoops(int count) {
    this(count, new ByteBudget(DEFAULT_BUDGET_BYTES), new ConnectionLimit(DEFAULT_CONNECTIONS));
  }

  /// Starts the loops of a part of the engine, and logs the plan.
  ///
  /// @param count threads, at least 1
  /// @param plan of this process
  public static EventLoops planned(int count, MemoryPlan plan) {
    LOG.info("{}", plan);
    return new EventLoops(
        count, new ByteBudget(plan.traffic().bytes()), new ConnectionLimit(plan.connections()));
  }

  /// Starts the loops with limits of the caller's.
  ///
  /// @param count threads, at least 1
  public EventLoops(int count, ByteBudget budget, ConnectionLimit connections) {
    this.budget = budget;
    this.connections = connections;
    group =
        new MultiThreadIoEventLoopGroup(
            count, new DefaultThreadFactory("loop", true), EpollLoop.factory());
  }

  /// The Netty group, for the few classes that speak Netty.
  public EventLoopGroup group() {
    return group;
  }

  /// The account of bytes that come from or go to outside.
  public ByteBudget budget() {
    return budget;
  }

  /// How many connections all servers have together.
  public ConnectionLimit connections() {
    return connections;
  }

  /// Stops the loops; connections still open are closed. Blocks at most 5 s.
  @Override
  public void close() {
    group
        .shutdownGracefully(0, CLOSE_TIMEOUT_SECONDS, TimeUnit.SECONDS)
        .awaitUninterruptibly(CLOSE_TIMEOUT_SECONDS, TimeUnit.SECONDS);
  }
}
