package io.easyfaas.controller.runtime;

import io.easyfaas.common.wire.ChannelAddress;
import io.netty.channel.ChannelHandler;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A slot's channel: what the engine and the sandbox that is in the slot now have in common. All of
/// it lives on one event loop. The methods are called by one thread at a time, the slot's warden.
public final class SlotChannel implements AutoCloseable {
  private final String slot;
  private final ChannelListener listener;
  private volatile @Nullable Generation generation;

  SlotChannel(String slot, ChannelListener listener) {
    this.slot = slot;
    this.listener = listener;
  }

  /// Where the channel of the runner that is to be started is handed over; empty when the sandbox
  /// has its runner, or is to get it, already.
  public Optional<ChannelAddress> offer() {
    return offer(0, null);
  }

  /// The same for a runner that speaks over TCP besides: what connects to a port on the sandbox's
  /// loopback becomes a channel of this engine's.
  ///
  /// @param port 1 to 65535
  /// @param connection initialises every such channel; shared by all of them
  public Optional<ChannelAddress> offer(int port, @Nullable ChannelHandler connection) {
    if (generation != null) {
      return Optional.empty();
    }
    Generation begun = new Generation(slot, listener, port, connection);
    generation = begun;
    return Optional.of(begun.address());
  }

  /// The runner whose channel was handed over since {@link #offer}. Blocks at most `wait`.
  ///
  /// @throws RunnerException when none is in time; the message says what is missing
  public RunnerConnection awaitRunner(Duration wait) {
    Generation current = generation;
    if (current == null) {
      throw new IllegalStateException(slot + ": no runner is expected");
    }
    return current.awaitRunner(wait);
  }

  /// The last 4 KiB that this generation printed outside of calls; empty when there is nothing.
  public String printed() {
    Generation current = generation;
    return current == null ? "" : current.printed();
  }

  /// Closes all that this generation has; nobody is told. Safe to call twice.
  public void end() {
    Generation ended = generation;
    generation = null;
    if (ended != null) {
      ended.end();
    }
  }

  /// The same as {@link #end}.
  @Override
  public void close() {
    end();
  }
}
