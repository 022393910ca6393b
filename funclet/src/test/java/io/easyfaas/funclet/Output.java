package io.easyfaas.funclet;

import io.easyfaas.common.wire.ChannelAddress;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/// What a sandbox's command prints: has its channel handed over where the controller would, see
/// protocol.md §1. Every wait is at most 20 s.
final class Output implements AutoCloseable {
  private static final int PATIENCE_SECONDS = 20;
  private static final String TOKEN = "0123456789abcdef".repeat(2);
  private static final AtomicInteger NUMBER = new AtomicInteger();

  private final Path socket;
  private final HandOvers handOvers;
  private final FutureTask<BufferedReader> printed;

  private Output(Path socket) {
    this.socket = socket;
    this.handOvers = new HandOvers(socket);
    this.printed = start(() -> handOvers.next().reader());
  }

  /// Listens for one hand-over.
  ///
  /// @param directory of the socket
  static Output listen(Path directory) {
    return new Output(directory.resolve("output" + NUMBER.getAndIncrement() + ".sock"));
  }

  /// Where the channel is to be handed over.
  ChannelAddress address() {
    return handOvers.address(TOKEN, 0);
  }

  /// The next line.
  String line() {
    return await(start(() -> String.valueOf(await(printed).readLine())));
  }

  /// Everything until all that could write has ended.
  String all() {
    return await(start(() -> await(printed).readAllAsString()));
  }

  @Override
  public void close() {
    handOvers.close();
    try {
      if (printed.state() == Future.State.SUCCESS) {
        printed.resultNow().close();
      } else {
        printed.cancel(true);
      }
      Files.deleteIfExists(socket);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static <T> FutureTask<T> start(Callable<T> work) {
    FutureTask<T> task = new FutureTask<>(work);
    Thread.ofVirtual().start(task);
    return task;
  }

  private static <T> T await(Future<T> task) {
    try {
      return task.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new AssertionError("output: " + e, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }
}
