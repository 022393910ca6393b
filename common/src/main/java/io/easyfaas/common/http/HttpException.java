package io.easyfaas.common.http;

import org.jspecify.annotations.Nullable;

/// A connection that could not be made, broke, or did not answer in time. The message names the
/// address and what was tried.
public final class HttpException extends RuntimeException {
  private final boolean unreached;

  /// Creates the exception.
  public HttpException(String message, Throwable cause) {
    this(message, cause, false);
  }

  /// Creates the exception without a cause.
  public HttpException(String message) {
    this(message, null, false);
  }

  private HttpException(String message, @Nullable Throwable cause, boolean unreached) {
    super(message, cause);
    this.unreached = unreached;
  }

  /// There is no connection, so nothing was sent.
  static HttpException unreached(String message, @Nullable Throwable cause) {
    return new HttpException(message, cause, true);
  }

  /// Whether there was no connection, so that nothing was sent.
  public boolean isUnreached() {
    return unreached;
  }
}
