package io.easyfaas.common.invoke;

/// What is known of an answer in parts when it begins.
///
/// @param length bytes of all parts together, or {@link #UNKNOWN}
public record AnswerHead(long length) {
  /// The length of an answer that nobody knows before its end.
  public static final long UNKNOWN = -1;

  /// Whether the length is known.
  public boolean hasLength() {
    return length >= 0;
  }
}
