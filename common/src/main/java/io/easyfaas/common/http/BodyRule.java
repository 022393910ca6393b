package io.easyfaas.common.http;

/// How the body of a request is taken, decided by its head.
///
/// @param isStreamed whether the handler reads it as it comes. A short body may be in memory all
///   the same
/// @param maxBytes a longer one is answered with 413
public record BodyRule(boolean isStreamed, long maxBytes) {
  /// Whole, up to what the server takes.
  public static final BodyRule WHOLE = new BodyRule(false, Long.MAX_VALUE);

  /// Refuses a number that is none.
  public BodyRule {
    if (maxBytes < 0) {
      throw new IllegalArgumentException("maxBytes: " + maxBytes + " (expected: >= 0)");
    }
  }

  /// As a stream, whatever the server's limit for whole bodies is.
  public static BodyRule streamed(long maxBytes) {
    return new BodyRule(true, maxBytes);
  }
}
