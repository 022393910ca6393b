package io.easyfaas.controller.call;

import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.http.EventLoops;
import io.easyfaas.common.http.LoopHandler;
import io.easyfaas.common.invoke.Invoker;
import io.easyfaas.common.invoke.RequestIds;
import io.netty.channel.EventLoop;
import java.security.SecureRandom;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/// The invoke API over HTTP: makes the handler of each new connection. Leaves calls to whoever
/// answers the other requests until there is a door for them. Thread-safe.
public final class InvokeFront implements AutoCloseable {
  private volatile @Nullable Invoker invoker;
  private final ByteBudget budget;
  private final Map<EventLoop, RequestIds> requestIds = new HashMap<>();
  private final ExecutorService threads =
      Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("answer-", 0).factory());

  /// Creates a front without a door.
  ///
  /// @param loops that connections may live on, with the account of their bytes
  public InvokeFront(EventLoops loops) {
    this.budget = loops.budget();
    SecureRandom seed = new SecureRandom();
    loops.group().forEach(loop -> requestIds.put((EventLoop) loop, new RequestIds(seed)));
  }

  /// From now on calls go through the door.
  public void open(Invoker door) {
    invoker = door;
  }

  /// The handler of a new connection.
  public LoopHandler handler(EventLoop loop) {
    RequestIds ids = requestIds.get(loop);
    if (ids == null) {
      throw new IllegalStateException("connection on a foreign event loop: " + loop);
    }
    return new InvokeApi(this, ids);
  }

  /// The door; null until there is one.
  @Nullable Invoker invoker() {
    return invoker;
  }

  /// For answers that take too long for an event loop.
  Executor threads() {
    return threads;
  }

  /// The account of answers that clients have not taken yet.
  ByteBudget budget() {
    return budget;
  }

  /// Stops answers that are being written on threads. Safe to call twice.
  @Override
  public void close() {
    threads.shutdownNow();
  }
}
