package io.easyfaas.funclet.container;

/// A sandbox could not be made, changed or destroyed. The message names the step and the reason.
final class SandboxException extends RuntimeException {
  private final boolean isOfALostOne;

  SandboxException(String message) {
    super(message);
    this.isOfALostOne = false;
  }

  SandboxException(String message, Throwable cause) {
    super(message, cause);
    this.isOfALostOne = false;
  }

  private SandboxException(String message, boolean isOfALostOne) {
    super(message);
    this.isOfALostOne = isOfALostOne;
  }

  /// One of a sandbox that is gone, or whose launcher does not answer.
  static SandboxException ofALostOne(String message) {
    return new SandboxException(message, true);
  }

  /// Whether it says nothing about what was to be done.
  boolean isOfALostOne() {
    return isOfALostOne;
  }
}
