package io.easyfaas.funclet.launch;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.config.Durations;
import io.easyfaas.common.disk.DiskTree;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A launcher that was started and has connected.
///
/// @param channel what it reads requests from and writes lines to
record LauncherConnection(Process process, SocketChannel channel) {
  private static final Logger LOG = LoggerFactory.getLogger(LauncherConnection.class);
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);

  /// Starts the launcher and waits until it has connected, at most 5 s.
  ///
  /// @param program the launcher's binary
  /// @param socket where it connects to; whatever is there is removed, and the new one too once the
  ///   launcher has connected
  /// @throws LaunchException when it cannot be executed or does not connect
  static LauncherConnection open(Path program, Path socket) {
    Process process = null;
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      DiskTree.delete(socket);
      server.bind(UnixDomainSocketAddress.of(socket), 1);
      Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
      ProcessBuilder builder =
          new ProcessBuilder(program.toString(), "serve", socket.toString())
              .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .redirectError(ProcessBuilder.Redirect.PIPE);
      builder.environment().clear(); // It needs none, and none can leak into a sandbox.
      process = builder.start();
      logErrors(process);
      return new LauncherConnection(process, accept(server, process, program));
    } catch (IOException e) {
      kill(process);
      throw new LaunchException("start " + program + ": " + e.getMessage() + hint(program), e);
    } catch (RuntimeException | Error e) {
      kill(process);
      throw e;
    } finally {
      try {
        Files.deleteIfExists(socket);
      } catch (IOException e) {
        LOG.warn("remove {}: {}", socket, e.getMessage());
      }
    }
  }

  /// Kills the launcher and closes the channel. Safe to call twice.
  void abandon() {
    process.destroyForcibly();
    hangUp();
  }

  /// Closes the channel, by which the launcher knows that it is to end. Safe to call twice.
  void hangUp() {
    try {
      channel.close();
    } catch (IOException e) {
      LOG.warn("close the launcher's socket: {}", e.getMessage());
    }
  }

  private static void kill(@Nullable Process process) {
    if (process != null) {
      process.destroyForcibly();
    }
  }

  private static SocketChannel accept(ServerSocketChannel server, Process process, Path program)
      throws IOException {
    FutureTask<SocketChannel> accepting = new FutureTask<>(server::accept);
    Thread.ofVirtual().name("launcher-accept").start(accepting);
    var _ = process.onExit().thenRun(() -> accepting.cancel(true));
    try {
      return accepting.get(CONNECT_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new IOException("did not connect in " + Durations.text(CONNECT_TIMEOUT), e);
    } catch (ExecutionException e) {
      throw new IOException("accept: " + e.getCause(), e);
    } catch (CancellationException e) {
      throw new IOException("ended with status " + process.exitValue(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("start " + program + ": interrupted", e);
    }
  }

  private static void logErrors(Process process) {
    Thread.ofVirtual()
        .name("launcher-stderr")
        .start(() -> {
          try (BufferedReader lines = process.errorReader(UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
              LOG.warn("launcher: {}", line);
            }
          } catch (IOException e) {
            LOG.debug("launcher's stderr: {}", e.getMessage());
          }
        });
  }

  private static String hint(Path program) {
    return Files.exists(program)
        ? ""
        : ". Hint: there is no such file; build it with `mvn -pl funclet process-classes`, or name"
            + " it with --launcher";
  }
}
