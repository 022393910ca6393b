package io.easyfaas.common.invoke;

import java.util.Map;

/// What is known of an answer in parts when it begins. Status, type and headers are the function's
/// wish for an ingress that speaks HTTP, and not checked; others have no use for them.
///
/// @param status 0 when the function says nothing
/// @param contentType empty when the function says nothing
/// @param headers by name as given
/// @param length bytes of all parts together, or {@link #UNKNOWN}
public record AnswerHead(int status, String contentType, Map<String, String> headers, long length) {
  /// The length of an answer that nobody knows before its end.
  public static final long UNKNOWN = -1;

  /// The head of an answer of which nothing is known.
  public static final AnswerHead NONE = new AnswerHead(0, "", Map.of(), UNKNOWN);

  /// Copies the headers.
  public AnswerHead {
    headers = Map.copyOf(headers);
  }
}
