package io.easyfaas.common.http;

import java.nio.file.Path;

/// Where an HTTP server listens.
public sealed interface HttpAddress {
  /// A TCP address.
  ///
  /// @param host a name or address
  /// @param port 0 lets the system choose (servers only)
  record Tcp(String host, int port) implements HttpAddress {
    /// The same host with another port.
    public Tcp withPort(int other) {
      return new Tcp(host, other);
    }

    /// Host and port as a URL has them: an IPv6 address is in brackets.
    public String authority() {
      return (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + port;
    }

    @Override
    public String toString() {
      return "http://" + authority();
    }
  }

  /// A unix stream socket.
  ///
  /// @param path at most 107 bytes, see unix(7)
  record Unix(Path path) implements HttpAddress {
    @Override
    public String toString() {
      return "unix://" + path;
    }
  }

  /// Reads `http://host:port`, `host:port` or `unix:///path`.
  ///
  /// @throws IllegalArgumentException for anything else
  static HttpAddress parse(String text) {
    if (text.startsWith("unix://")) {
      return unix(text);
    }
    String authority = text.startsWith("http://") ? text.substring("http://".length()) : text;
    if (authority.endsWith("/")) {
      authority = authority.substring(0, authority.length() - 1);
    }
    int colon = authority.lastIndexOf(':');
    try {
      int port = colon < 0 ? 80 : Integer.parseInt(authority.substring(colon + 1));
      String host = colon < 0 ? authority : authority.substring(0, colon);
      if (!host.isEmpty() && host.indexOf('/') < 0 && port > 0 && port <= 65535) {
        boolean inBrackets = host.startsWith("[") && host.endsWith("]");
        return new Tcp(inBrackets ? host.substring(1, host.length() - 1) : host, port);
      }
    } catch (NumberFormatException _) {
      // Falls through to the one message for every bad form.
    }
    throw bad(text);
  }

  private static HttpAddress unix(String text) {
    String path = text.substring("unix://".length());
    if (!path.startsWith("/") || path.indexOf('\0') >= 0) {
      throw bad(text);
    }
    return new Unix(Path.of(path));
  }

  private static IllegalArgumentException bad(String text) {
    return new IllegalArgumentException(
        "address: \"" + text + "\" (expected: http://host:port or unix:///path)");
  }
}
