package io.easyfaas.common.http;

/// How the body of a request is taken, decided by its head.
///
/// @param isStreamed whether the handler reads it as it comes. A short body may be in memory all
///   the same
/// @param maxBytes a longer one is answered with 413
/// @param copies how many times as much memory as the body has whoever handles it needs at once,
///   the body included; at least 1. It is reserved before the body is read
public record BodyRule(boolean isStreamed, long maxBytes, int copies) {
  /// Whole, up to what the server takes.
  public static final BodyRule WHOLE = whole(1);

  /// Refuses numbers that are none.
  public BodyRule {
    if (maxBytes < 0) {
      throw new IllegalArgumentException("maxBytes: " + maxBytes + " (expected: >= 0)");
    }
    if (copies < 1) {
      throw new IllegalArgumentException("copies: " + copies + " (expected: >= 1)");
    }
  }

  /// Whole, up to what the server takes, for a handler that makes copies of it.
  public static BodyRule whole(int copies) {
    return new BodyRule(false, Long.MAX_VALUE, copies);
  }

  /// As a stream, whatever the server's limit for whole bodies is.
  public static BodyRule streamed(long maxBytes) {
    return new BodyRule(true, maxBytes, 1);
  }
}
