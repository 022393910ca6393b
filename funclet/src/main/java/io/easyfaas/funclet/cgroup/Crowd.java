package io.easyfaas.funclet.cgroup;

import java.nio.file.Path;

/// So many processes in a slot that killing them takes time. A fork bomb that is out of memory also
/// needs some to die: at its limit every step of every process in it, the keeper's too, is a search
/// for somebody to kill, one after the other on the whole machine.
final class Crowd {
  // More than most functions have.
  private static final int FEW = 32;
  // For page tables and what is freed late; as much as a small function has.
  private static final long ROOM_TO_DIE = 64L << 20;

  private Crowd() {}

  /// Whether there is one in a group of the pids controller.
  static boolean isIn(Path group) {
    return ControlFile.in(group, "pids.current").readLong() > FEW;
  }

  /// The memory limit it is to have while it dies.
  ///
  /// @param limit the file with the one it has
  static long memory(ControlFile limit) {
    long now = limit.readLong();
    return now > Long.MAX_VALUE - ROOM_TO_DIE ? now : now + ROOM_TO_DIE;
  }
}
