package io.easyfaas.funclet.launch;

import org.jspecify.annotations.Nullable;

/// The launcher could not be started. The message names the program and the reason.
public final class LaunchException extends RuntimeException {
  /// Creates the exception.
  public LaunchException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
