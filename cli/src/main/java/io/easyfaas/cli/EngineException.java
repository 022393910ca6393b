package io.easyfaas.cli;

/// The engine refused or failed what a command asked. The message is what the user is shown.
final class EngineException extends RuntimeException {
  EngineException(String message) {
    super(message);
  }

  EngineException(String message, Throwable cause) {
    super(message, cause);
  }
}
