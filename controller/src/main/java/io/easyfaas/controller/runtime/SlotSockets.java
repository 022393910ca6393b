package io.easyfaas.controller.runtime;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoop;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// The two sockets of one sandbox, `runner.sock` and `output.sock`, see protocol.md §1.
///
/// Each sandbox generation may connect once to each; whoever connects later is closed, and so is
/// who connects when nobody is expected. All connections of one slot live on one event loop. The
/// public methods block and are called by one thread at a time, the slot's keeper.
public final class SlotSockets implements AutoCloseable {
  private static final String RUNNER = "runner.sock";
  private static final String OUTPUT = "output.sock";

  private final String slot;
  private final EventLoop loop;
  private final FlushQueue flushes;
  private final LongSupplier nanoTime;
  private final LongSupplier epochMillis;

  private @Nullable Path directory;
  private @Nullable Channel runnerListener;
  private @Nullable Channel outputListener;
  private volatile @Nullable Generation generation;

  /// Creates the sockets' owner; nothing is listened on yet.
  ///
  /// @param slot names the sandbox in messages
  /// @param queues of the loops, one of which runs all of the slot's connections
  /// @param nanoTime usually {@link System#nanoTime()}
  /// @param epochMillis usually {@link System#currentTimeMillis()}
  public SlotSockets(
      String slot, FlushQueues queues, LongSupplier nanoTime, LongSupplier epochMillis) {
    this.slot = slot;
    this.loop = queues.nextLoop();
    this.flushes = queues.of(loop);
    this.nanoTime = nanoTime;
    this.epochMillis = epochMillis;
  }

  /// Listens in a directory. Does nothing when that is so already and both sockets are still there;
  /// a new generation may have a new directory.
  ///
  /// @throws RunnerException when a socket cannot be made
  public void listen(Path socketDirectory) {
    if (socketDirectory.equals(directory)
        && Files.exists(socketDirectory.resolve(RUNNER))
        && Files.exists(socketDirectory.resolve(OUTPUT))) {
      return;
    }
    stopListening();
    runnerListener = bind(socketDirectory.resolve(RUNNER), new RunnerAccept());
    outputListener = bind(socketDirectory.resolve(OUTPUT), new OutputAccept());
    directory = socketDirectory;
  }

  /// From now on one runner may connect. Nothing changes when one is expected or has connected
  /// already since the sandbox was made.
  public void expectRunner() {
    if (generation == null) {
      generation = new Generation();
    }
  }

  /// The runner that connected since {@link #expectRunner}. Blocks at most `wait`.
  ///
  /// @throws RunnerException when none does in time; the message says what is missing
  public RunnerConnection awaitRunner(Duration wait) {
    Generation expected = generation;
    if (expected == null) {
      throw new IllegalStateException(slot + ": no runner is expected");
    }
    try {
      return expected.connected.get(wait.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException _) {
      throw new RunnerException(
          slot + ": runner did not connect in " + wait.toMillis() + "ms" + quote(expected));
    } catch (ExecutionException e) {
      throw RunnerException.of(e);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw new RunnerException(slot + ": interrupted while waiting for the runner");
    }
  }

  /// The last 4 KiB that this generation printed outside of calls; empty when there is nothing.
  public String strayOutput() {
    Generation current = generation;
    return current == null ? "" : current.stray.text();
  }

  /// Closes this generation's connections; nobody is told. Safe to call twice.
  public void endGeneration() {
    Generation ended = generation;
    generation = null;
    if (ended != null) {
      loop.execute(ended::close);
    }
  }

  /// Closes connections and sockets and removes their files. Safe to call twice.
  @Override
  public void close() {
    endGeneration();
    stopListening();
  }

  private Channel bind(Path socket, ChannelInitializer<Channel> accept) {
    try {
      Files.deleteIfExists(socket);
    } catch (IOException e) {
      throw new RunnerException("remove " + socket + ": " + e.getMessage());
    }
    ChannelFuture bound =
        new ServerBootstrap()
            .group(loop)
            .channel(EpollServerDomainSocketChannel.class)
            .childHandler(accept)
            .bind(new DomainSocketAddress(socket.toFile()))
            .awaitUninterruptibly();
    if (!bound.isSuccess()) {
      throw new RunnerException("listen on " + socket + ": " + bound.cause().getMessage());
    }
    try {
      // The sandbox's user has ids of its own; nobody else can reach the directory.
      Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-rw-rw-"));
    } catch (IOException e) {
      bound.channel().close().awaitUninterruptibly();
      throw new RunnerException("open " + socket + " to the sandbox: " + e.getMessage());
    }
    return bound.channel();
  }

  private void stopListening() {
    Path old = directory;
    directory = null;
    closeListener(runnerListener);
    closeListener(outputListener);
    runnerListener = null;
    outputListener = null;
    if (old != null) {
      try {
        Files.deleteIfExists(old.resolve(RUNNER));
        Files.deleteIfExists(old.resolve(OUTPUT));
      } catch (IOException _) {
        // The directory is funclet's; it removes what is left with it.
      }
    }
  }

  private static void closeListener(@Nullable Channel listener) {
    if (listener != null) {
      listener.close().awaitUninterruptibly();
    }
  }

  private static String quote(Generation generation) {
    String printed = generation.stray.text();
    return printed.isEmpty() ? "" : "; it printed: " + printed;
  }

  /// What belongs to one life of the sandbox. Confined to the loop, but for the future.
  @SuppressWarnings("FutureReturnValueIgnored") // Closing is all that can be done.
  private static final class Generation {
    final CompletableFuture<RunnerConnection> connected = new CompletableFuture<>();
    private final StrayOutput stray = new StrayOutput();
    private @Nullable RunnerConnection runner;
    private @Nullable Channel output;

    boolean acceptRunner(RunnerConnection connection) {
      runner = connection;
      return connected.complete(connection);
    }

    boolean acceptOutput(Channel channel) {
      if (output != null) {
        return false;
      }
      output = channel;
      return true;
    }

    void printed(ByteBuf text) {
      RunnerConnection current = runner;
      RunnerCall only = current == null ? null : current.onlyCall();
      if (only != null) {
        only.logged(false, text);
      } else {
        stray.add(text);
      }
    }

    void close() {
      if (runner != null) {
        runner.discard();
      }
      if (output != null) {
        output.close();
      }
    }
  }

  @SuppressWarnings("FutureReturnValueIgnored") // Closing is all that can be done.
  private final class RunnerAccept extends ChannelInitializer<Channel> {
    @Override
    protected void initChannel(Channel channel) {
      Generation current = generation;
      if (current == null || current.connected.isDone()) {
        channel.close();
        return;
      }
      current.acceptRunner(
          new RunnerConnection(slot, channel, flushes, nanoTime, epochMillis, current.stray));
    }
  }

  @SuppressWarnings("FutureReturnValueIgnored") // Closing is all that can be done.
  private final class OutputAccept extends ChannelInitializer<Channel> {
    @Override
    protected void initChannel(Channel channel) {
      Generation current = generation;
      if (current == null || !current.acceptOutput(channel)) {
        channel.close();
        return;
      }
      channel.pipeline().addLast(new OutputHandler(current, new PrintBudget(channel, nanoTime)));
    }
  }

  /// Reads `output.sock`. Confined to the loop.
  @SuppressWarnings("FutureReturnValueIgnored") // Closing is all that can be done.
  private static final class OutputHandler extends ChannelInboundHandlerAdapter {
    private final Generation owner;
    private final PrintBudget prints;

    OutputHandler(Generation owner, PrintBudget prints) {
      this.owner = owner;
      this.prints = prints;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
      ByteBuf bytes = (ByteBuf) message;
      try {
        prints.spend(bytes.readableBytes());
        owner.printed(bytes);
      } finally {
        bytes.release();
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
      ctx.close();
    }
  }
}
