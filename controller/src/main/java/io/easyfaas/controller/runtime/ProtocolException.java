package io.easyfaas.controller.runtime;

/// Bytes from a runner that are not what protocol.md allows at this point.
final class ProtocolException extends Exception {
  ProtocolException(String message) {
    super(message);
  }

  /// A frame of a type that may not come now.
  static ProtocolException notAllowed(byte type) {
    return new ProtocolException("frame of type " + type + " is not allowed here");
  }
}
