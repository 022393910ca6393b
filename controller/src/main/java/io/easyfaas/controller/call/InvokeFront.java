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

/// The invoke API over HTTP: makes the handler of each new connection. Thread-safe.
public final class InvokeFront implements AutoCloseable {
  private final Invoker invoker;
  private final ByteBudget budget;
  private final Map<EventLoop, RequestIds> requestIds = new HashMap<>();
  private final ExecutorService threads =
      Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("answer-", 0).factory());

  /// Puts HTTP in front of a door.
  ///
  /// @param loops that connections may live on, with the account of their bytes
  public InvokeFront(Invoker invoker, EventLoops loops) {
    this.invoker = invoker;
    this.budget = loops.budget();
    SecureRandom seed = new SecureRandom();
    loops.group().forEach(loop -> requestIds.put((EventLoop) loop, new RequestIds(seed)));
  }

  /// The handler of a new connection.
  public LoopHandler handler(EventLoop loop) {
    RequestIds ids = requestIds.get(loop);
    if (ids == null) {
      throw new IllegalStateException("connection on a foreign event loop: " + loop);
    }
    return new InvokeApi(this, ids);
  }

  Invoker invoker() {
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
