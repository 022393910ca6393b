package io.easyfaas.common.http;

/// A connection that could not be made, broke, or did not answer in time. The message names the
/// address and what was tried.
public final class HttpException extends RuntimeException {
  /// Creates the exception.
  public HttpException(String message, Throwable cause) {
    super(message, cause);
  }

  /// Creates the exception without a cause.
  public HttpException(String message) {
    super(message);
  }
}
