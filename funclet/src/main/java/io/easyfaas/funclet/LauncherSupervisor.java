package io.easyfaas.funclet;

import io.easyfaas.funclet.container.Containers;
import io.easyfaas.funclet.launch.LaunchException;
import io.easyfaas.funclet.launch.Launcher;
import io.easyfaas.funclet.launch.LauncherEvent;
import io.easyfaas.funclet.launch.LauncherProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keeps a launcher running: when it dies, it is started again and every sandbox is made anew.
/// Thread-safe.
final class LauncherSupervisor implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LauncherSupervisor.class);
  // A launcher that dies at once would otherwise be started without pause.
  private static final Duration RESTART_PAUSE = Duration.ofSeconds(1);

  private final Path program;
  private final Path socket;
  private final Object lock = new Object();
  private volatile @Nullable Launcher launcher;
  private volatile boolean isClosed;

  LauncherSupervisor(Path program, Path socket) {
    this.program = program;
    this.socket = socket;
  }

  /// Starts the first launcher.
  ///
  /// @param containers told of every event
  /// @throws LaunchException when it cannot be started
  void start(Containers containers) {
    launcher = LauncherProcess.start(program, socket, event -> take(event, containers));
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

  private void take(LauncherEvent event, Containers containers) {
    containers.onEvent(event);
    if (event instanceof LauncherEvent.LauncherDied) {
      Thread.ofVirtual().name("launcher-restart").start(() -> restart(containers));
    }
  }

  private void restart(Containers containers) {
    while (true) {
      synchronized (lock) {
        if (isClosed) {
          return;
        }
        launcher().close(); // Reaps the dead one.
        try {
          start(containers);
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
    containers.repair("the launcher died");
  }
}
