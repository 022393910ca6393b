package io.easyfaas.controller.runtime;

/// What the sandboxes of one event loop may take of it together by printing, in equal parts for
/// those that print: a bound of each alone would be none, there are as many as somebody calls.
/// Confined to the loop.
final class PrintShare {
  /// Two fifths of the loop's time.
  static final long TOTAL_NANOS = PrintBudget.WINDOW_NANOS * 2 / 5;

  private long windowStart;
  private int printing;
  private int printedBefore;

  /// A sandbox prints, for the first time in its window.
  void prints(long now) {
    if (now - windowStart >= PrintBudget.WINDOW_NANOS) {
      printedBefore = now - windowStart >= 2 * PrintBudget.WINDOW_NANOS ? 0 : printing;
      printing = 0;
      windowStart = now;
    }
    printing++;
  }

  /// What one may take in a window.
  long nanosOfWindow() {
    return TOTAL_NANOS / Math.max(1, Math.max(printing, printedBefore));
  }
}
