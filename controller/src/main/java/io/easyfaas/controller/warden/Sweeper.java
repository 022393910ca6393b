package io.easyfaas.controller.warden;

import java.time.Duration;
import java.util.OptionalLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Has a warden look at everything once a second, and when a waiting call is due. Thread-safe; one
/// virtual thread, which no failure ends.
public final class Sweeper implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Sweeper.class);
  // The rest of the engine starts first.
  private static final Duration HEAD_START = Duration.ofMillis(100);
  private static final Duration PERIOD = Duration.ofSeconds(1);
  private static final Duration SHORTEST = Duration.ofMillis(1);
  private static final Duration NODE_REFRESH = Duration.ofSeconds(5);

  private final Warden warden;
  private final Thread thread;
  private volatile boolean closed;

  private Sweeper(Warden warden) {
    this.warden = warden;
    this.thread = Thread.ofVirtual().name("slot-sweeper").unstarted(this::run);
  }

  /// Begins in 100 ms.
  public static Sweeper start(Warden warden) {
    Sweeper sweeper = new Sweeper(warden);
    sweeper.thread.start();
    return sweeper;
  }

  /// Ends the thread. Safe to call twice.
  @Override
  public void close() {
    closed = true;
    thread.interrupt();
  }

  private void run() {
    long refreshed = System.nanoTime();
    Warden.pause(HEAD_START);
    while (!closed) {
      OptionalLong due = OptionalLong.empty();
      try {
        due = warden.sweep();
        Duration period = warden.funclet().isGone() ? PERIOD : NODE_REFRESH;
        if (System.nanoTime() - refreshed >= period.toNanos()) {
          refreshed = System.nanoTime();
          warden.execute(warden::refreshNode);
        }
      } catch (Throwable e) {
        LOG.error("the sweep failed", e); // The next one must still come.
      }
      long pause = Math.min(PERIOD.toNanos(), due.orElse(Long.MAX_VALUE));
      Warden.pause(Duration.ofNanos(Math.max(pause, SHORTEST.toNanos())));
    }
  }
}
