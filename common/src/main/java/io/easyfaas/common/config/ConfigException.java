package io.easyfaas.common.config;

/// A setting that cannot be used. The message names the key, the value and what was expected.
public final class ConfigException extends RuntimeException {
  /// Creates the exception with its whole message.
  public ConfigException(String message) {
    super(message);
  }
}
