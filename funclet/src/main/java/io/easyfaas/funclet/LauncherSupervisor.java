package io.easyfaas.funclet;

import io.easyfaas.funclet.launch.LaunchException;
import io.easyfaas.funclet.launch.Launcher;
import io.easyfaas.funclet.launch.LauncherEvent;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keeps a launcher running: when it dies, it is started again and every sandbox is made anew.
/// Thread-safe.
final class LauncherSupervisor implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LauncherSupervisor.class);
  // A launcher that dies at once would otherwise be started without pause.
  private static final Duration RESTART_PAUSE = Duration.ofSeconds(1);

  private final Function<Launcher.Listener, Launcher> program;
  private final Object lock = new Object();
  private volatile @Nullable Launcher launcher;
  private volatile boolean isClosed;

  /// @param program starts a launcher that tells its listener of every event
  LauncherSupervisor(Function<Launcher.Listener, Launcher> program) {
    this.program = program;
  }

  /// Starts the first launcher.
  ///
  /// @param listener told of every event
  /// @param repair makes anew what a launcher that died took along, and is told why
  /// @throws LaunchException when it cannot be started
  void start(Launcher.Listener listener, Consumer<String> repair) {
    synchronized (lock) { // Who dies at once is started again when it is known.
      launcher = program.apply(event -> take(event, listener, repair));
    }
  }

  /// The launcher that runs now, or the one that died last.
  ///
  /// @throws IllegalStateException before the start
  Launcher launcher() {
    Launcher now = launcher;
    if (now == null) {
      throw new IllegalStateException("the launcher was not started");
    }
    return now;
  }

  @Override
  public void close() {
    synchronized (lock) {
      isClosed = true;
      Launcher now = launcher;
      if (now != null) {
        now.close();
      }
    }
  }

  private void take(LauncherEvent event, Launcher.Listener listener, Consumer<String> repair) {
    try {
      listener.onEvent(event);
    } finally {
      if (event instanceof LauncherEvent.LauncherDied) {
        Thread.ofVirtual().name("launcher-restart").start(() -> restart(listener, repair));
      }
    }
  }

  private void restart(Launcher.Listener listener, Consumer<String> repair) {
    while (true) {
      synchronized (lock) {
        if (isClosed) {
          return;
        }
        try {
          launcher().close(); // Reaps the dead one.
          start(listener, repair);
          break;
        } catch (LaunchException e) {
          LOG.error("{}", e.getMessage());
        } catch (Throwable e) { // Without a launcher nothing ever starts again.
          LOG.error("the launcher could not be started", e);
        }
      }
      LockSupport.parkNanos(RESTART_PAUSE.toNanos());
    }
    LOG.warn("the launcher was started again; every sandbox is made anew");
    repair.accept("the launcher died");
  }
}
