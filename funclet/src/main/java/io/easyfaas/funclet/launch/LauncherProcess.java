package io.easyfaas.funclet.launch;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.config.Durations;
import io.easyfaas.common.disk.DiskTree;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A running `easyfaas-launcher serve`. Thread-safe.
///
/// A thread reads the launcher's lines, a platform thread because it is what every start of a
/// sandbox waits for, and a virtual one is woken by way of another. It hands an answer to the
/// caller that waits for its number, and an event to the listener. At end of stream every waiting
/// and every later call is answered with {@link LaunchReport.Lost}, and the listener gets {@link
/// LauncherEvent.LauncherDied} unless the launcher was closed on purpose. It is not restarted here:
/// that is the owner's choice.
public final class LauncherProcess implements Launcher {
  private static final Logger LOG = LoggerFactory.getLogger(LauncherProcess.class);
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);
  private static final Duration EXIT_TIMEOUT = Duration.ofSeconds(10);
  private static final int MAX_REQUEST_BYTES = 256 * 1024; // launcher.md, "Serve protocol"

  private final Process process;
  private final SocketChannel channel;
  private final Listener listener;
  private final AtomicLong numbers = new AtomicLong();
  private final Map<Long, BlockingQueue<LaunchReport>> waiting = new ConcurrentHashMap<>();
  private final Object writing = new Object();
  private volatile @Nullable String lost;
  private volatile boolean closing;

  private LauncherProcess(Process process, SocketChannel channel, Listener listener) {
    this.process = process;
    this.channel = channel;
    this.listener = listener;
  }

  /// Starts the launcher and waits until it has connected, at most 5 s.
  ///
  /// @param program the launcher's binary
  /// @param socket where it connects to; whatever is there is removed, and the new one too once the
  ///   launcher has connected
  /// @throws LaunchException when it cannot be executed or does not connect
  public static LauncherProcess start(Path program, Path socket, Listener listener) {
    Process process = null;
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      DiskTree.delete(socket);
      server.bind(UnixDomainSocketAddress.of(socket), 1);
      Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
      ProcessBuilder builder =
          new ProcessBuilder(program.toString(), "serve", socket.toString())
              .redirectInput(ProcessBuilder.Redirect.from(new java.io.File("/dev/null")))
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .redirectError(ProcessBuilder.Redirect.PIPE);
      builder.environment().clear(); // It needs none, and none can leak into a sandbox.
      process = builder.start();
      logErrors(process);
      SocketChannel channel = accept(server, process, program);
      LauncherProcess launcher = new LauncherProcess(process, channel, listener);
      launcher.startReader();
      LOG.info("launcher {} runs as process {}", program, process.pid());
      return launcher;
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

  private void startReader() throws IOException {
    try {
      Thread.ofPlatform().daemon().name("launcher-reader").start(this::read);
    } catch (RuntimeException | Error e) { // There may be no thread left.
      channel.close();
      throw e;
    }
  }

  private static void kill(@Nullable Process process) {
    if (process != null) {
      process.destroyForcibly();
    }
  }

  /// The launcher's process id.
  public long pid() {
    return process.pid();
  }

  @Override
  public Pending send(LauncherCommand command) {
    long number = numbers.incrementAndGet() & 0xFFFFFFFFL;
    byte[] request = encode(number, command);
    if (request.length - 4 > MAX_REQUEST_BYTES) {
      return lost(
          command + ": " + request.length + " bytes (expected: at most " + MAX_REQUEST_BYTES + ")");
    }
    BlockingQueue<LaunchReport> answer = new ArrayBlockingQueue<>(1);
    waiting.put(number, answer);
    String reason = lost; // Read after the put: either this sees it, or the reader sees the put.
    if (reason == null) {
      try {
        send(request);
        return timeout -> await(command, number, answer, timeout);
      } catch (IOException e) {
        reason = told(e);
      }
    }
    waiting.remove(number);
    return lost(reason);
  }

  private static Pending lost(String reason) {
    return _ -> new LaunchReport.Lost(reason);
  }

  private LaunchReport await(
      LauncherCommand command, long number, BlockingQueue<LaunchReport> answer, Duration timeout) {
    try {
      LaunchReport report = answer.poll(timeout.toMillis(), TimeUnit.MILLISECONDS);
      return report != null
          ? report
          : new LaunchReport.Lost(
              command + ": the launcher did not answer in " + Durations.text(timeout));
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return new LaunchReport.Lost(command + ": interrupted");
    } finally {
      waiting.remove(number);
    }
  }

  @Override
  public void close() {
    closing = true;
    try {
      channel.close();
      if (!process.waitFor(EXIT_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)) {
        LOG.warn("launcher {} did not end in {}: killed", process.pid(), EXIT_TIMEOUT);
        process.destroyForcibly().waitFor(5, TimeUnit.SECONDS);
      }
    } catch (IOException e) {
      LOG.warn("close the launcher's socket: {}", e.getMessage());
    } catch (InterruptedException _) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }

  static byte[] encode(long number, LauncherCommand command) {
    int length = 4;
    byte[][] arguments = new byte[command.arguments().size()][];
    for (int i = 0; i < arguments.length; i++) {
      arguments[i] = command.arguments().get(i).getBytes(UTF_8);
      length += arguments[i].length + 1;
    }
    ByteBuffer buffer = ByteBuffer.allocate(4 + length);
    buffer.putInt(length).putInt((int) number);
    for (byte[] argument : arguments) {
      buffer.put(argument).put((byte) 0);
    }
    return buffer.array();
  }

  private void send(byte[] request) throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(request);
    synchronized (writing) {
      // Why: a thread that is interrupted when it begins to write closes the channel, and so ends
      // all sandboxes. In the midst of it, only who closes funclet interrupts.
      boolean isInterrupted = Thread.interrupted();
      try {
        while (buffer.hasRemaining()) {
          channel.write(buffer);
        }
      } finally {
        if (isInterrupted) {
          Thread.currentThread().interrupt();
        }
      }
    }
  }

  private void read() {
    String reason = "launcher: it ended";
    try (channel) { // So that it ends too, whatever ended the reading.
      BufferedReader lines =
          new BufferedReader(new InputStreamReader(Channels.newInputStream(channel), UTF_8));
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        take(line);
      }
    } catch (IOException e) {
      reason = told(e);
    } catch (Throwable e) {
      reason = "launcher: it could not be listened to: " + e;
    }
    lost = reason;
    for (BlockingQueue<LaunchReport> answer : waiting.values()) {
      boolean _ = answer.offer(new LaunchReport.Lost(reason));
    }
    if (!closing) {
      LOG.error("{}", reason);
      listener.onEvent(new LauncherEvent.LauncherDied(reason));
    }
  }

  private static String told(IOException e) {
    return "launcher: "
        + (e instanceof ClosedChannelException ? "its channel is closed" : e.getMessage());
  }

  private void take(String line) {
    switch (LauncherLine.parse(line).orElse(null)) {
      case LauncherLine.Answer(long number, LaunchReport report) -> {
        BlockingQueue<LaunchReport> answer = waiting.remove(number);
        if (answer == null || !answer.offer(report)) {
          LOG.warn("launcher answered too late: {}", line);
        }
      }
      case LauncherLine.Event(LauncherEvent event) -> {
        try {
          listener.onEvent(event);
        } catch (Throwable e) {
          LOG.error("event {} could not be taken", event, e); // The reader must live on.
        }
      }
      case null -> LOG.warn("launcher wrote what nobody knows: {}", line);
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
    } catch (java.util.concurrent.CancellationException e) {
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
