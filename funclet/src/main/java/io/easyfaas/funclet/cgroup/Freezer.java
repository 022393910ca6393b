package io.easyfaas.funclet.cgroup;

import io.easyfaas.common.config.Durations;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/// Pauses the processes of one group, of either version.
///
/// @param group which
/// @param isV2 the version; only there can what is paused be killed, see cgroups(7) and the
///   kernel's cgroup-v2.rst
record Freezer(Path group, boolean isV2) {
  private static final Duration TIMEOUT = Duration.ofSeconds(1);
  private static final long POLL_NANOS = 100_000;

  /// Pauses, and waits at most 1 s until all are paused. A failure leaves none paused.
  ///
  /// @throws CgroupException when they were not paused in time
  void freeze() {
    write(isV2 ? "1" : "FROZEN");
    long deadline = System.nanoTime() + TIMEOUT.toNanos();
    while (!isFrozen()) {
      if (System.nanoTime() > deadline) {
        thaw();
        throw new CgroupException(
            "freeze " + group + ": not frozen in " + Durations.text(TIMEOUT), null);
      }
      LockSupport.parkNanos(POLL_NANOS);
    }
  }

  /// Ends the pause. Safe to call when there is none.
  void thaw() {
    write(isV2 ? "0" : "THAWED");
  }

  boolean isFrozen() {
    return isV2
        ? ControlFile.in(group, "cgroup.events").readKey("frozen").orElse(0) == 1
        : ControlFile.in(group, "freezer.state").read().equals("FROZEN");
  }

  private void write(String value) {
    ControlFile.in(group, isV2 ? "cgroup.freeze" : "freezer.state").write(value);
  }
}
