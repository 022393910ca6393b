package io.easyfaas.funclet.container;

import io.easyfaas.common.wire.RunnerExit;
import io.easyfaas.funclet.launch.LauncherEvent.Exited;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// How the runner of one generation ended. Thread-safe.
///
/// The controller sees a dying runner's socket close and asks for a reset before the kernel has
/// made the process a zombie and its parent has reaped it. So a runner that is on its way out
/// counts as ended by itself, and its end is waited for.
final class RunnerWatch {
  private static final Logger LOG = LoggerFactory.getLogger(RunnerWatch.class);
  private static final int PF_EXITING = 0x4; // linux/sched.h; in the flags of proc_pid_stat(5).
  private static final int SIGKILL_STATUS = 128 + 9;

  private final LongSupplier oomKills;
  private final long oomKillsBefore;
  private final CountDownLatch hasEnded = new CountDownLatch(1);
  private volatile @Nullable Exited exited;

  /// Starts watching; the runner must not run yet.
  ///
  /// @param oomKills how many processes the kernel has killed in this slot so far
  RunnerWatch(LongSupplier oomKills) {
    this.oomKills = oomKills;
    this.oomKillsBefore = oomKills.getAsLong();
  }

  /// Takes the launcher's event. Does not block.
  void onExit(Exited event) {
    exited = event;
    hasEnded.countDown();
  }

  /// Takes the end of its sandbox: how it ended will never be told. Does not block.
  void onGone() {
    hasEnded.countDown();
  }

  /// How the runner ended by itself; empty when it runs, or has ended with its sandbox.
  ///
  /// @param stat the runner's `/proc/<pid>/stat`
  /// @param patience the longest wait for the end of a runner that is exiting
  Optional<RunnerExit> exit(Path stat, Duration patience) {
    if (hasEnded.getCount() > 0 && isExiting(stat)) {
      try {
        boolean _ = hasEnded.await(patience.toMillis(), TimeUnit.MILLISECONDS);
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
      }
    }
    Exited event = exited;
    if (event == null) {
      return Optional.empty();
    }
    // A shell that ran the real program reports its end as 137, too.
    boolean isKilled = event.code() == SIGKILL_STATUS;
    return Optional.of(new RunnerExit(event.code(), event.signal(), isKilled && hasOomKills()));
  }

  private boolean hasOomKills() {
    try {
      return oomKills.getAsLong() > oomKillsBefore;
    } catch (SandboxException e) {
      LOG.warn("out of memory or not? {}", e.getMessage());
      return false;
    }
  }

  private static boolean isExiting(Path stat) {
    try {
      return isExiting(Files.readString(stat));
    } catch (IOException _) {
      return true; // Reaped already.
    }
  }

  /// Pure.
  ///
  /// @param stat text of `/proc/<pid>/stat`: `pid (name) state ppid pgrp session tty tpgid flags …`
  static boolean isExiting(String stat) {
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
    boolean isDead = fields[0].equals("Z") || fields[0].equals("X");
    return isDead || (Long.parseLong(fields[6]) & PF_EXITING) != 0;
  }
}
