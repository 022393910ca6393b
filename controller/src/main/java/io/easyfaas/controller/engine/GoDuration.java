package io.easyfaas.controller.engine;

/// Durations as REPORT lines have them: `12ms`, `1.234s`, `1m30.5s`, `0s` (the notation of Go's
/// time package).
final class GoDuration {
  private static final int BILLING_MILLIS = 100;

  private GoDuration() {}

  /// A whole number of milliseconds, at least 0.
  static String ofMillis(long millis) {
    if (millis == 0) {
      return "0s";
    }
    if (millis < 1000) {
      return millis + "ms";
    }
    long hours = millis / 3_600_000;
    long minutes = millis / 60_000 % 60;
    StringBuilder text = new StringBuilder();
    if (hours > 0) {
      text.append(hours).append('h');
    }
    if (hours > 0 || minutes > 0) {
      text.append(minutes).append('m');
    }
    text.append(millis / 1000 % 60);
    long rest = millis % 1000;
    if (rest > 0) {
      String digits = Long.toString(1000 + rest).substring(1);
      text.append('.').append(digits.replaceAll("0+$", ""));
    }
    return text.append('s').toString();
  }

  /// Rounded up to what is billed.
  static long billedMillis(long millis) {
    return (millis + BILLING_MILLIS - 1) / BILLING_MILLIS * BILLING_MILLIS;
  }
}
