package io.easyfaas.common.wire;

/// Where the ends of a runner's channel are handed over before the runner starts, see protocol.md
/// §1.
///
/// @param socket the controller's unix socket, an absolute path on the host
/// @param token says whose ends they are: 32 lower-case hexadecimal digits, good for one start of
///   one runner
/// @param listenPort TCP port on the sandbox's own loopback that the controller shall serve; 0:
///   none
public record ChannelAddress(String socket, String token, int listenPort) {
  /// Checks every part.
  public ChannelAddress {
    if (!socket.startsWith("/")) {
      throw new IllegalArgumentException("socket: " + socket + " (expected: an absolute path)");
    }
    if (!token.matches("[0-9a-f]{32}")) {
      throw new IllegalArgumentException("token: not 32 hexadecimal digits");
    }
    if (listenPort < 0 || listenPort > 0xffff) {
      throw new IllegalArgumentException("listenPort: " + listenPort + " (expected: 0 to 65535)");
    }
  }

  /// The token is a secret and stays out of logs.
  @Override
  public String toString() {
    return "channel at " + socket;
  }
}
