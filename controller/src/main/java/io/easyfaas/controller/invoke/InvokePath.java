package io.easyfaas.controller.invoke;

import io.easyfaas.controller.pool.SlotPool;
import io.easyfaas.controller.registry.FunctionCache;
import io.easyfaas.controller.runtime.FlushQueues;
import io.easyfaas.controller.userlog.UserLog;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.EventLoop;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.LongSupplier;

/// What all invocations share. Thread-safe.
public final class InvokePath implements AutoCloseable {
  /// How invocations are treated.
  ///
  /// @param checksCaller whether the caller's account must be the function's owner
  /// @param showsAuthorization whether the registry sees the caller's `Authorization`
  /// @param maxLookUp how long a call waits for the registry
  public record Rules(boolean checksCaller, boolean showsAuthorization, Duration maxLookUp) {}

  final Rules rules;
  final FunctionCache functions;
  final SlotPool pool;
  final UserLog userLog;
  final InvokeMetrics metrics;
  final LongSupplier nanoTime;
  final InstantSource clock;
  final ExecutorService threads =
      Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("invoke-", 0).factory());
  private final List<String> slotNames;
  private final FlushQueues flushes;
  private final Map<EventLoop, RequestIds> requestIds = new HashMap<>();

  /// Puts the parts together.
  ///
  /// @param flushes a queue for each event loop that connections may live on
  /// @param nanoTime usually {@link System#nanoTime()}
  public InvokePath(
      Rules rules,
      FunctionCache functions,
      SlotPool pool,
      UserLog userLog,
      InvokeMetrics metrics,
      FlushQueues flushes,
      LongSupplier nanoTime,
      InstantSource clock) {
    this.rules = rules;
    this.functions = functions;
    this.pool = pool;
    this.userLog = userLog;
    this.metrics = metrics;
    this.flushes = flushes;
    this.nanoTime = nanoTime;
    this.clock = clock;
    this.slotNames = pool.slots().stream().map(slot -> slot.id().value()).toList();
    SecureRandom seed = new SecureRandom();
    flushes.loops().forEach(loop -> requestIds.put(loop, new RequestIds(seed)));
  }

  /// Adds the invoke handler to a new connection's pipeline.
  public void front(ChannelPipeline pipeline) {
    EventLoop loop = pipeline.channel().eventLoop();
    RequestIds ids = requestIds.get(loop);
    if (ids == null) {
      throw new IllegalStateException("connection on a foreign event loop: " + loop);
    }
    pipeline.addLast(new InvokeHandler(this, flushes.of(loop), ids));
  }

  /// The container's name.
  String slotName(int index) {
    return slotNames.get(index);
  }

  /// Stops look-ups under way. Safe to call twice.
  @Override
  public void close() {
    threads.shutdownNow();
  }
}
