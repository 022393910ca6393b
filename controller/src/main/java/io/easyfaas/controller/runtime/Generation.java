package io.easyfaas.controller.runtime;

import io.easyfaas.common.wire.ChannelAddress;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.unix.FileDescriptor;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/// All that one life of a slot's sandbox has of the engine: its token, frames, output, and the
/// connections to it. Its end closes all of it. Confined to the loop, but for what says otherwise.
@SuppressWarnings("FutureReturnValueIgnored") // Closing is all that can be done.
final class Generation {
  private final String slot;
  private final ChannelListener listener;
  private final RunnerLoop loop;
  private final PrintBudget budget;
  private final StrayOutput stray = new StrayOutput();
  private final CompletableFuture<RunnerConnection> connected = new CompletableFuture<>();
  private final ChannelAddress address;
  private final @Nullable ChannelHandler connection;
  private @Nullable RunnerConnection runner;
  private @Nullable OutputPipe output;
  private @Nullable SandboxServer server;

  /// Expects a runner from now on. Any thread.
  ///
  /// @param listenPort of the sandbox's loopback; 0: none
  /// @param connection initialises what connects to that port
  Generation(
      String slot, ChannelListener listener, int listenPort, @Nullable ChannelHandler connection) {
    this.slot = slot;
    this.listener = listener;
    this.loop = listener.loop();
    this.budget = new PrintBudget(loop.loop, loop.nanoTime, loop.printing);
    this.connection = connection;
    this.address =
        new ChannelAddress(
            listener.socket().toString(),
            listener.expect(this, connection != null),
            connection == null ? 0 : listenPort);
  }

  /// Where its channel is handed over. Any thread.
  ChannelAddress address() {
    return address;
  }

  /// The runner whose channel was handed over. Any thread; blocks at most `wait`.
  ///
  /// @throws RunnerException when none is in time; the message says what is missing
  RunnerConnection awaitRunner(Duration wait) {
    try {
      return connected.get(wait.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException _) {
      throw new RunnerException(slot + ": no channel was handed over in " + wait.toMillis() + "ms");
    } catch (ExecutionException e) {
      throw RunnerException.of(e);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw new RunnerException(slot + ": interrupted while waiting for the runner");
    }
  }

  /// The last 4 KiB printed that belong to no call; empty when there is nothing. Any thread.
  String printed() {
    return stray.text();
  }

  /// Takes the runner's end of frames, and the pipe that its output comes from.
  void takeRunner(Channel channel, FileDescriptor pipe) {
    RunnerConnection taken = new RunnerConnection(slot, channel, loop, budget, stray);
    OutputPipe opened = new OutputPipe(pipe, loop, budget, taken.output());
    taken.output().comesFrom(opened);
    runner = taken;
    output = opened;
    opened.open();
    connected.complete(taken);
  }

  /// Takes the listener; the connection that brought it has done its work.
  void takeListener(Channel channel, FileDescriptor listening) {
    channel.close();
    if (connection == null) {
      throw new IllegalStateException(slot + ": a listener that nobody serves");
    }
    SandboxServer taken = new SandboxServer(listening, loop, budget, connection);
    server = taken;
    taken.open();
  }

  /// Ends it. Nobody is told. Any thread; safe to call twice.
  void end() {
    listener.forget(address.token());
    loop.loop.execute(this::close);
  }

  /// Whatever fails: what stayed open would still be a sandbox's that is no more.
  private void close() {
    OutputPipe pipe = output;
    RunnerConnection connectedRunner = runner;
    SandboxServer served = server;
    if (pipe != null && connectedRunner != null) {
      Regardless.all(pipe::drain, connectedRunner::discard, pipe::close); // Its last words first.
    }
    if (served != null) {
      Regardless.all(served::close);
    }
  }
}
