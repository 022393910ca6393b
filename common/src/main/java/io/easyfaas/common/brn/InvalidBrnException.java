package io.easyfaas.common.brn;

/// A text that was expected to name a function and does not. The message names the value and what
/// was expected.
public final class InvalidBrnException extends IllegalArgumentException {
  /// Creates the exception with its whole message.
  public InvalidBrnException(String message) {
    super(message);
  }
}
