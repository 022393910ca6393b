package io.easyfaas.common.http;

/// Answers requests that need no thread of their own. Each connection has its own, confined to the
/// connection's event loop; must not block.
@FunctionalInterface
public interface LoopHandler {
  /// Looks at the next request of the connection.
  ///
  /// @param exchange the connection's; the same for all its requests
  /// @return whether it is this one's to answer; if not, the {@link HttpHandler} gets it
  boolean take(Exchange exchange);
}
