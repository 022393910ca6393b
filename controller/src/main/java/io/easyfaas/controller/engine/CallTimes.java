package io.easyfaas.controller.engine;

import io.easyfaas.controller.engine.InvokeMetrics.PodSource;

/// When the stages of one call began, and what they are counted as. Owned by the call.
final class CallTimes {
  /// What a call is counted as that nobody waited for any more, as other servers log it.
  static final int STATUS_ABANDONED = 499;

  private final InvokeMetrics metrics;
  private final long received;
  private boolean hitCache;
  private PodSource podSource = PodSource.UNKNOWN;
  private long resolved;
  private long dispatched;

  CallTimes(InvokeMetrics metrics, long now) {
    this.metrics = metrics;
    this.received = now;
  }

  /// When the call began.
  long received() {
    return received;
  }

  /// The function is known.
  void resolved(boolean fromCache, long now) {
    resolved = now;
    hitCache = fromCache;
    (fromCache ? metrics.getFunctionHitCache : metrics.getFunction).record(now - received);
  }

  /// A slot is asked for: for the first time, or since the runner of another has ended before it
  /// got the call.
  void asksForSlot() {
    dispatched = 0;
    podSource = PodSource.COLD;
  }

  /// The slot was warm and had room.
  void foundWarmSlot() {
    podSource = PodSource.WARM;
  }

  /// The call goes to its runner.
  void dispatched(long now) {
    dispatched = now;
    (podSource == PodSource.WARM ? metrics.getPodWarm : metrics.getPodCold).record(now - resolved);
  }

  /// The runner's part has ended.
  void ended(long now) {
    if (dispatched != 0) {
      long duration = now - dispatched;
      metrics.invoke.record(duration);
      metrics.scheduleOverhead.record(now - received - duration);
      metrics.stageSum.record(now - received);
    }
  }

  /// The whole call has ended.
  void finished(int status, long now) {
    metrics.recordAll(hitCache, podSource, status, now - received);
    if (status == STATUS_ABANDONED) {
      metrics.abandoned.increment();
    }
  }

  /// Nanoseconds the runner had the call; 0 when it never did.
  long runNanos(long now) {
    return dispatched == 0 ? 0 : now - dispatched;
  }

  /// Nanoseconds since the function was known; negative when the call never ran.
  long executionNanos(long now) {
    return dispatched == 0 ? -1 : now - resolved;
  }
}
