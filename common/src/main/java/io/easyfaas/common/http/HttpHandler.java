package io.easyfaas.common.http;

import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.Headers;

/// Answers requests. Called on a virtual thread of its own for each request, so it may block.
@FunctionalInterface
public interface HttpHandler {
  /// What servers for outside clients have {@link #atOnce}: many who only look, or only ask, leave
  /// processors and disk to calls.
  int FEW_AT_ONCE = 16;

  /// Answers one request.
  ///
  /// @throws ApiException to answer with an error object; anything else thrown is answered with 500
  ///   and logged
  HttpResponse handle(HttpRequest request);

  /// Says how the body of a request is to be taken; asked before a body that did not come with its
  /// head is read. On an event loop, so it must not block.
  ///
  /// @param head the request without its body
  /// @throws ApiException when the head names nothing; the request is then taken whole, and {@link
  ///   #handle} answers it
  default BodyRule bodyRule(HttpRequest head) {
    return BodyRule.WHOLE;
  }

  /// Whether others were refused of late for want of what streamed requests keep while their bodies
  /// come. Slow bodies make way then. On an event loop, so it must not block.
  default boolean isCrowded() {
    return false;
  }

  /// How many whole requests are at work at once; the others wait their turn, in the order they
  /// came. Streamed ones are bounded by who reads them. Asked once, when the server starts.
  ///
  /// @return at least 1
  default int atOnce() {
    return Integer.MAX_VALUE;
  }

  /// Whether the answer to a request is at hand, so that it waits for no turn, and is given also
  /// where {@link ConnectionLimit} has no room: who asks whether the engine is alive must not be
  /// told by how many others ask something. On an event loop too, so it must not block.
  ///
  /// @param request maybe without its body
  default boolean isAtHand(HttpRequest request) {
    return false;
  }

  /// Says whose share of the engine's memory the body of a request counts in; asked as {@link
  /// #bodyRule} is.
  ///
  /// @param head the request without its body
  /// @return the tenant; empty when it is not known
  default String accountOf(HttpRequest head) {
    return head.header(Headers.ACCOUNT_ID, Headers.LEGACY_ACCOUNT_ID).orElse("");
  }
}
