package io.easyfaas.controller.runtime;

/// A runner that did not come up: it never connected, did not answer in time, or broke the
/// protocol. The message names the sandbox and what was waited for.
public final class RunnerException extends RuntimeException {
  /// Creates the exception with its whole message.
  public RunnerException(String message) {
    super(message);
  }

  /// What was waited for failed for a reason of its own.
  static RunnerException of(Exception failure) {
    Throwable cause = failure.getCause();
    return new RunnerException(String.valueOf(cause == null ? failure : cause.getMessage()));
  }
}
