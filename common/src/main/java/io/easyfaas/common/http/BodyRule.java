package io.easyfaas.common.http;

/// How the body of a request is taken, decided by its head.
///
/// @param isStreamed whether the handler reads it as it comes. A short body may be in memory all
///   the same
/// @param maxBytes a longer one is answered with 413
/// @param keptBytes what who reads a streamed one keeps of it in memory at most
/// @param why there is this limit, for who exceeds it; goes after the number
public record BodyRule(boolean isStreamed, long maxBytes, long keptBytes, String why) {
  /// Whole, up to what the server takes.
  public static final BodyRule WHOLE = new BodyRule(false, Long.MAX_VALUE, 0, "");

  /// Refuses a number that is none.
  public BodyRule {
    if (maxBytes < 0 || keptBytes < 0) {
      throw new IllegalArgumentException(
          "maxBytes " + maxBytes + ", keptBytes " + keptBytes + " (expected: >= 0)");
    }
  }

  /// As a stream, whatever the server's limit for whole bodies is.
  public static BodyRule streamed(long maxBytes, long keptBytes) {
    return new BodyRule(true, maxBytes, keptBytes, "");
  }

  /// The same, with words for who exceeds the limit.
  public BodyRule because(String words) {
    return new BodyRule(isStreamed, maxBytes, keptBytes, words);
  }
}
