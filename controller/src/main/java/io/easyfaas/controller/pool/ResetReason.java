package io.easyfaas.controller.pool;

/// Why slots are reset; the words of logs, metrics and funclet's reset request.
public final class ResetReason {
  /// Nobody called for a while.
  public static final String IDLE = "idle";

  /// Another function needs the memory.
  public static final String MAKE_ROOM = "make-room";

  /// A call did not end in time.
  public static final String TIMEOUT = "timeout";

  /// The runner ended.
  public static final String RUNNER_EXITED = "runner-exited";

  /// Asked for through the admin API.
  public static final String INVALIDATED = "invalidated";

  /// A runner in reserve did not start.
  public static final String PREWARM_FAILED = "prewarm-failed";

  /// A frozen slot could not be continued.
  public static final String THAW_FAILED = "thaw-failed";

  /// The function could not be put in.
  public static final String WARMUP_FAILED = "warmup-failed";

  /// The function could not be loaded.
  public static final String LOAD_FAILED = "load-failed";

  /// The sandbox held a function when the controller started.
  public static final String LEFT_OVER = "controller-restarted";

  private ResetReason() {}

  /// Whether the slot is healthy: its reset is a cooldown, not a repair.
  public static boolean isPlanned(String reason) {
    return reason.equals(IDLE) || reason.equals(MAKE_ROOM);
  }
}
