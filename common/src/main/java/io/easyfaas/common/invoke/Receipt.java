package io.easyfaas.common.invoke;

/// What a call that ran came to, besides its answer.
///
/// @param failed whether the function failed; the answer is its error object then
/// @param executionNanos what it took from the look-up to the end, waiting for a sandbox included;
///   negative when it never ran
/// @param log the end of its log, empty when that was not asked for
public record Receipt(boolean failed, long executionNanos, String log) {
  /// Whether the function was run at all.
  public boolean hasRun() {
    return executionNanos >= 0;
  }

  /// The time in milliseconds, with three decimals.
  public String executionMillis() {
    long micros = executionNanos / 1000;
    return micros / 1000 + "." + Long.toString(1000 + micros % 1000).substring(1);
  }
}
