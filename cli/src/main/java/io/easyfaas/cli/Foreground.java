package io.easyfaas.cli;

import static java.util.Objects.requireNonNull;

import io.easyfaas.common.log.LineQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What this process runs until it ends by itself or a signal ends it, whichever comes first;
/// either way all that was started is closed. A signal that comes while it is still starting waits
/// for the start to come to an end, so that nothing half-made is left. Thread-safe.
///
/// @param <T> what runs
final class Foreground<T> implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Foreground.class);
  // What starts by itself is done in less; what waits for another process is told to give up.
  private static final int START_SECONDS = 3;
  private static final int GIVE_UP_SECONDS = 30;

  private final String name;
  private final Parts parts = new Parts();
  private final Thread starter = Thread.currentThread();
  private final CountDownLatch started = new CountDownLatch(1);
  private final Thread onSignal = new Thread(this::stop, "stop");
  private @Nullable T running;

  private Foreground(String name) {
    this.name = name;
  }

  /// Starts something.
  ///
  /// @param name for the log
  /// @param start adds each part as soon as it runs
  /// @throws RuntimeException what `start` throws, as an Error is; nothing is left running then
  static <T> Foreground<T> start(String name, Function<Parts, T> start) {
    Foreground<T> foreground = new Foreground<>(name);
    Runtime.getRuntime().addShutdownHook(foreground.onSignal);
    try {
      foreground.running = start.apply(foreground.parts);
      return foreground;
    } catch (RuntimeException | Error e) {
      foreground.started.countDown();
      foreground.close();
      throw e;
    } finally {
      foreground.started.countDown();
    }
  }

  /// What was started.
  T running() {
    return requireNonNull(running);
  }

  /// Closes what runs, unless a signal does: then the process ends while this waits. Safe to call
  /// twice.
  @Override
  public void close() {
    parts.close();
    try {
      Runtime.getRuntime().removeShutdownHook(onSignal);
    } catch (IllegalStateException _) {
      awaitEnd();
    }
  }

  /// Waits for the signal that ends the process.
  void awaitEnd() {
    while (true) {
      LockSupport.park(this);
    }
  }

  private void stop() {
    LOG.info("{} is stopping", name);
    try {
      if (!started.await(START_SECONDS, TimeUnit.SECONDS)) {
        starter.interrupt();
        if (!started.await(GIVE_UP_SECONDS, TimeUnit.SECONDS)) {
          LOG.error("{} has not started to the end: something may be left", name);
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
    parts.close();
    LineQueue.standardError().flush(Main.LAST_WORDS);
  }
}
