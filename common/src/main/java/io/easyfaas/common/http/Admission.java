package io.easyfaas.common.http;

import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.budget.ByteKind;
import io.easyfaas.common.wire.ApiException;
import io.netty.channel.Channel;
import io.netty.handler.codec.http.HttpUtil;
import java.net.InetSocketAddress;

/// Decides by its head how the body of a request is taken, how long it may be, and whose share of
/// memory it counts in. Thread-safe.
///
/// @param handler says so
/// @param maxBodyBytes of a whole body
/// @param budget of the process
record Admission(HttpHandler handler, int maxBodyBytes, ByteBudget budget) {
  /// Whose share it is when no tenant is known: that of all who connect from one address.
  static String client(Channel connection) {
    return connection.remoteAddress() instanceof InetSocketAddress from && from.getAddress() != null
        ? "@" + from.getAddress().getHostAddress()
        : "";
  }

  /// Whether the request of a head is one that the handler has the answer to at hand.
  boolean isAtHand(io.netty.handler.codec.http.HttpRequest request) {
    return isAtHand(handler, NettyHttp.head(request));
  }

  /// Asks a handler {@link HttpHandler#isAtHand}.
  static boolean isAtHand(HttpHandler handler, HttpRequest request) {
    try {
      return handler.isAtHand(request);
    } catch (ApiException _) {
      return false; // The handler says the same when it is asked for the answer.
    }
  }

  /// Whose request it is: the tenant's, or the client's where no tenant is known.
  String account(Channel connection, io.netty.handler.codec.http.HttpRequest request) {
    return account(connection, NettyHttp.head(request));
  }

  private String account(Channel connection, HttpRequest head) {
    String account;
    try {
      account = handler.accountOf(head);
    } catch (ApiException _) {
      account = ""; // A target that cannot be read; the handler will say so.
    }
    return account.isEmpty() ? client(connection) : account;
  }

  /// The request of a head; nothing is reserved yet.
  IncomingRequest admit(Channel connection, io.netty.handler.codec.http.HttpRequest request) {
    boolean isChunked = HttpUtil.isTransferEncodingChunked(request);
    long length = isChunked ? HttpBody.UNKNOWN : HttpUtil.getContentLength(request, 0L);
    if (!isChunked && length <= ByteBudget.FREE_BYTES) {
      return new IncomingRequest(request, BodyRule.WHOLE, length, maxBodyBytes, null);
    }
    HttpRequest head = NettyHttp.head(request);
    BodyRule rule;
    try {
      rule = handler.bodyRule(head);
    } catch (ApiException _) {
      rule = BodyRule.WHOLE; // As above.
    }
    String account = account(connection, head);
    long limit = rule.isStreamed() ? rule.maxBytes() : Math.min(rule.maxBytes(), maxBodyBytes);
    return new IncomingRequest(request, rule, length, limit, budget.open(ByteKind.BODY, account));
  }
}
