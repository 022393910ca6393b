package io.easyfaas.common.http;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;

/// What a connection does after an answer (RFC 9112 §9.3).
public enum Persistence {
  /// It stays open, as is usual in HTTP/1.1.
  KEEP(""),
  /// It stays open, which an HTTP/1.0 client must be told.
  KEEP_AND_SAY_SO("\r\nConnection: keep-alive"),
  /// It closes.
  CLOSE("\r\nConnection: close");

  @SuppressWarnings("ImmutableEnumChecker") // Nobody writes to it.
  private final byte[] header;

  Persistence(String header) {
    this.header = header.getBytes(US_ASCII);
  }

  /// What the client asks for.
  static Persistence of(HttpMessage request) {
    if (!HttpUtil.isKeepAlive(request)) {
      return CLOSE;
    }
    return request.protocolVersion().equals(HttpVersion.HTTP_1_1) ? KEEP : KEEP_AND_SAY_SO;
  }

  /// Adds the header that says so, line break first, if one is needed.
  public void writeTo(ByteBuf head) {
    head.writeBytes(header);
  }
}
