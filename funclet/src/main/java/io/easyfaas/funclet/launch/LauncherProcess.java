package io.easyfaas.funclet.launch;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.config.Durations;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A running `easyfaas-launcher serve`. Thread-safe.
///
/// A thread reads the launcher's lines, another writes requests ({@link RequestWriter}): platform
/// threads because they are what every start of a sandbox waits for, and a virtual one is woken by
/// way of another. The reader hands an answer to the caller that waits for its number, and an event
/// to the listener. At end of stream every waiting and every later call is answered with {@link
/// LaunchReport.Lost}, and the listener gets {@link LauncherEvent.LauncherDied} unless the launcher
/// was closed on purpose. It is not restarted here: that is the owner's choice.
///
/// A launcher that says nothing, neither to a ping, for two periods in a row is killed, and that is
/// its end like any other. One period is not enough: the engine itself may have been stopped.
public final class LauncherProcess implements Launcher {
  private static final Logger LOG = LoggerFactory.getLogger(LauncherProcess.class);
  private static final Duration EXIT_TIMEOUT = Duration.ofSeconds(10);
  private static final Duration PING_PERIOD = Duration.ofSeconds(5);
  private static final int MAX_REQUEST_BYTES = 256 * 1024; // launcher.md, "Serve protocol"

  private final LauncherConnection connection;
  private final Listener listener;
  private final RequestWriter writer;
  private final AtomicLong numbers = new AtomicLong();
  private final AtomicLong linesHeard = new AtomicLong();
  private final Map<Long, BlockingQueue<LaunchReport>> waiting = new ConcurrentHashMap<>();
  private final AtomicReference<@Nullable String> lost = new AtomicReference<>();
  private volatile boolean closing;

  private LauncherProcess(LauncherConnection connection, Listener listener) {
    this.connection = connection;
    this.listener = listener;
    this.writer = new RequestWriter(connection.channel(), e -> lose(told(e)));
  }

  /// Starts the launcher and waits until it has connected, at most 5 s.
  ///
  /// @param program the launcher's binary
  /// @param socket where it connects to; whatever is there is removed, and the new one too once the
  ///   launcher has connected
  /// @throws LaunchException when it cannot be executed or does not connect
  public static LauncherProcess start(Path program, Path socket, Listener listener) {
    return start(program, socket, listener, PING_PERIOD);
  }

  static LauncherProcess start(Path program, Path socket, Listener listener, Duration pingPeriod) {
    LauncherConnection connection = LauncherConnection.open(program, socket);
    try {
      LauncherProcess launcher = new LauncherProcess(connection, listener);
      launcher.startThreads(pingPeriod);
      LOG.info("launcher {} runs as process {}", program, launcher.pid());
      return launcher;
    } catch (RuntimeException | Error e) { // There may be no thread left.
      connection.abandon();
      throw e;
    }
  }

  private void startThreads(Duration pingPeriod) {
    writer.start();
    Thread pings = Thread.ofVirtual().name("launcher-ping").unstarted(() -> ping(pingPeriod));
    Thread.ofPlatform()
        .daemon()
        .name("launcher-reader")
        .start(() -> {
          read();
          pings.interrupt();
        });
    pings.start();
  }

  /// The launcher's process id.
  public long pid() {
    return connection.process().pid();
  }

  @Override
  public Pending send(LauncherCommand command) {
    long number = numbers.incrementAndGet() & 0xFFFFFFFFL;
    byte[] request = RequestWriter.encode(number, command);
    if (request.length - 4 > MAX_REQUEST_BYTES) {
      return lost(
          command + ": " + request.length + " bytes (expected: at most " + MAX_REQUEST_BYTES + ")");
    }
    BlockingQueue<LaunchReport> answer = new ArrayBlockingQueue<>(1);
    waiting.put(number, answer);
    // Read after the put: either this sees it, or the reader sees the put.
    String reason = lost.get();
    if (reason == null && writer.offer(request)) {
      return timeout -> await(command, number, answer, timeout);
    }
    waiting.remove(number);
    return lost(
        reason != null
            ? reason
            : command
                + ": the launcher reads nothing, and "
                + RequestWriter.CAPACITY
                + " requests wait for it");
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
    connection.hangUp();
    Process process = connection.process();
    try {
      if (!process.waitFor(EXIT_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)) {
        LOG.warn("launcher {} did not end in {}: killed", process.pid(), EXIT_TIMEOUT);
        process.destroyForcibly().waitFor(5, TimeUnit.SECONDS);
      }
    } catch (InterruptedException _) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }

  private void read() {
    String reason = "launcher: it ended";
    try {
      BufferedReader lines =
          new BufferedReader(
              new InputStreamReader(Channels.newInputStream(connection.channel()), UTF_8));
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        linesHeard.incrementAndGet();
        take(line);
      }
    } catch (IOException e) {
      reason = told(e);
    } catch (Throwable e) {
      reason = "launcher: it could not be listened to: " + e;
    }
    end(reason);
  }

  /// Whatever ended the reading, it is the launcher's end, too.
  private void end(String reason) {
    lost.compareAndSet(null, reason);
    String first = String.valueOf(lost.get());
    connection.hangUp();
    writer.end();
    for (BlockingQueue<LaunchReport> answer : waiting.values()) {
      boolean _ = answer.offer(new LaunchReport.Lost(first));
    }
    if (!closing) {
      LOG.error("{}", first);
      listener.onEvent(new LauncherEvent.LauncherDied(first));
    }
  }

  /// Ends the reading, for this reason.
  private void lose(String reason) {
    lost.compareAndSet(null, reason);
    connection.abandon();
  }

  private void ping(Duration period) {
    long heard = -1;
    int silent = 0;
    try {
      while (silent < 2) {
        Thread.sleep(period);
        long now = linesHeard.get();
        silent = now == heard ? silent + 1 : 0;
        heard = now;
        Pending _ = send(LauncherCommand.ping());
      }
      lose("launcher: it has said nothing for " + Durations.text(period.multipliedBy(2)));
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt(); // The reading has ended.
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
}
