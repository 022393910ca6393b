package io.easyfaas.funclet;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// What a sandbox's command prints: listens where the controller would. Every wait is at most 20 s.
final class Output implements AutoCloseable {
  private static final int PATIENCE_SECONDS = 20;

  private final Path socket;
  private final ServerSocketChannel server;
  private final FutureTask<BufferedReader> connection;

  private Output(Path socket, ServerSocketChannel server) {
    this.socket = socket;
    this.server = server;
    this.connection =
        start(() -> {
          SocketChannel channel = server.accept();
          return new BufferedReader(new InputStreamReader(Channels.newInputStream(channel), UTF_8));
        });
  }

  static Output listen(Path socketDirectory) {
    try {
      Path socket = socketDirectory.resolve("output.sock");
      Files.deleteIfExists(socket);
      ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
      server.bind(UnixDomainSocketAddress.of(socket));
      Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-rw-rw-"));
      return new Output(socket, server);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// The next line.
  String line() {
    return await(start(() -> String.valueOf(await(connection).readLine())));
  }

  /// Everything until all that could write has ended.
  String all() {
    return await(start(() -> await(connection).readAllAsString()));
  }

  @Override
  public void close() {
    try {
      server.close();
      if (connection.isDone() && connection.state() == java.util.concurrent.Future.State.SUCCESS) {
        connection.resultNow().close();
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

  private static <T> T await(FutureTask<T> task) {
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
