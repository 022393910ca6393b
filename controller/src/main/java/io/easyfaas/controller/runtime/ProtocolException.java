package io.easyfaas.controller.runtime;

/// Bytes from a runner that are not what protocol.md allows at this point.
final class ProtocolException extends Exception {
  ProtocolException(String message) {
    super(message);
  }
}
