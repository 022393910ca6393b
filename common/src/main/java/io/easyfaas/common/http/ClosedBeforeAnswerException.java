package io.easyfaas.common.http;

import org.jspecify.annotations.Nullable;

/// A connection ended before an answer came.
final class ClosedBeforeAnswerException extends Exception {
  /// Whether the request may have reached the server.
  final boolean requestSent;

  ClosedBeforeAnswerException(boolean requestSent, @Nullable Throwable cause) {
    super("connection closed before the answer", cause);
    this.requestSent = requestSent;
  }
}
