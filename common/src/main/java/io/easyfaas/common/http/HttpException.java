package io.easyfaas.common.http;

import org.jspecify.annotations.Nullable;

/// A connection that could not be made, broke, or did not answer in time, or with too much. The
/// message names the address and what was tried.
public final class HttpException extends RuntimeException {
  private enum Kind {
    BROKEN,
    UNREACHED,
    TOO_LARGE
  }

  private final Kind kind;

  /// Creates the exception.
  public HttpException(String message, Throwable cause) {
    this(message, cause, Kind.BROKEN);
  }

  /// Creates the exception without a cause.
  public HttpException(String message) {
    this(message, null, Kind.BROKEN);
  }

  private HttpException(String message, @Nullable Throwable cause, Kind kind) {
    super(message, cause);
    this.kind = kind;
  }

  /// There is no connection, so nothing was sent.
  static HttpException unreached(String message, @Nullable Throwable cause) {
    return new HttpException(message, cause, Kind.UNREACHED);
  }

  /// There is an answer, but a larger one than the client takes.
  static HttpException tooLarge(String message, Throwable cause) {
    return new HttpException(message, cause, Kind.TOO_LARGE);
  }

  /// Whether there was no connection, so that nothing was sent.
  public boolean isUnreached() {
    return kind == Kind.UNREACHED;
  }

  /// Whether there was an answer, but a larger one than the client takes.
  public boolean isTooLarge() {
    return kind == Kind.TOO_LARGE;
  }
}
