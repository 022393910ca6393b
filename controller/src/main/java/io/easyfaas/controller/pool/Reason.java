package io.easyfaas.controller.pool;

import java.util.Locale;

/// Why a slot moves from one state to another: the words of logs and metrics, and of funclet's
/// reset request.
public enum Reason {
  /// A call needs the slot.
  CALL,
  /// The runner is connected and has loaded its function.
  CONNECTED,
  /// It is tried whether sandboxes can take code.
  PROBE,
  /// A runner is to be ready before a function needs it.
  STANDBY,
  /// The pause is over.
  THAWED,
  /// Nobody called for a while.
  IDLE,
  /// Another function needs the slot or its memory.
  MAKE_ROOM,
  /// A call did not end in time.
  TIMEOUT,
  /// The runner ended.
  RUNNER_EXITED,
  /// An idle runner did not answer a ping.
  RUNNER_SILENT,
  /// The runner sent what it may not.
  PROTOCOL_ERROR,
  /// Asked for through the admin API.
  INVALIDATED,
  /// A runner without a function did not start.
  PREWARM_FAILED,
  /// An idle slot could not be paused.
  FREEZE_FAILED,
  /// A frozen slot could not be continued.
  THAW_FAILED,
  /// The function could not be put in.
  WARMUP_FAILED,
  /// The function could not be loaded.
  LOAD_FAILED,
  /// The sandbox could not be made anew.
  RESET_FAILED,
  /// The sandbox held a function when the controller started.
  CONTROLLER_RESTARTED;

  private final String word = name().toLowerCase(Locale.ROOT).replace('_', '-');

  /// As it is written outside: `make-room`.
  public String word() {
    return word;
  }

  /// Whether a slot that is reset for this reason is healthy: a cooldown, not a repair.
  public boolean isPlanned() {
    return this == IDLE || this == MAKE_ROOM || this == PROBE;
  }
}
