package io.easyfaas.common.config;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.file.Path;

/// Paths that unix sockets shall have. Pure.
public final class SocketPath {
  private static final int MAX_BYTES = 107; // See unix(7).

  private SocketPath() {}

  /// Checks that a socket can have the path.
  ///
  /// @param flag the setting that it comes from, for the message
  /// @throws ConfigException when it is too long
  public static void check(String flag, Path path) {
    int bytes = path.toString().getBytes(UTF_8).length;
    if (bytes > MAX_BYTES) {
      throw new ConfigException(
          flag
              + ": "
              + path
              + " has "
              + bytes
              + " bytes (expected: at most "
              + MAX_BYTES
              + ", see unix(7))");
    }
  }
}
