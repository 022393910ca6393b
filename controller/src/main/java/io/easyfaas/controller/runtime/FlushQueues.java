package io.easyfaas.controller.runtime;

import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.http.EventLoops;
import io.netty.channel.EventLoop;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/// The flush queue of each event loop of the process, and the account that goes with the loops.
/// Immutable; thread-safe.
public final class FlushQueues {
  private final Map<EventLoop, FlushQueue> queues = new HashMap<>();
  private final ByteBudget budget;

  /// Makes a queue for each of the loops.
  public FlushQueues(EventLoops loops) {
    budget = loops.budget();
    loops
        .group()
        .forEach(member -> {
          EventLoop loop = (EventLoop) member;
          queues.put(loop, new FlushQueue(loop));
        });
  }

  /// Every loop that has a queue.
  public Set<EventLoop> loops() {
    return Set.copyOf(queues.keySet());
  }

  /// The account of the bytes that are on their way.
  ByteBudget budget() {
    return budget;
  }

  /// The queue of a loop.
  ///
  /// @throws IllegalArgumentException when the loop is not one of the process's
  public FlushQueue of(EventLoop loop) {
    FlushQueue queue = queues.get(loop);
    if (queue == null) {
      throw new IllegalArgumentException("loop " + loop + " has no flush queue");
    }
    return queue;
  }
}
