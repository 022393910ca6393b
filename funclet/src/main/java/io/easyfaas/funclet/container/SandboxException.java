package io.easyfaas.funclet.container;

/// A sandbox could not be made, changed or destroyed. The message names the step and the reason.
final class SandboxException extends RuntimeException {
  SandboxException(String message) {
    super(message);
  }

  SandboxException(String message, Throwable cause) {
    super(message, cause);
  }
}
