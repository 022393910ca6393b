package io.easyfaas.common.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.EmptyHttpHeaders;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.util.AsciiString;
import java.util.Map;
import java.util.TreeMap;

/// Converts between our records and Netty's messages.
public final class NettyHttp {
  // Netty's own constants are lower case; clients of the original have seen Title-Case.
  private static final AsciiString CONTENT_LENGTH = AsciiString.cached("Content-Length");
  private static final AsciiString CONNECTION = AsciiString.cached("Connection");
  private static final AsciiString TRANSFER_ENCODING = AsciiString.cached("Transfer-Encoding");
  private static final AsciiString HOST = AsciiString.cached("Host");

  private NettyHttp() {}

  /// Copies a request out of Netty's buffers; the message stays the caller's to release.
  public static HttpRequest request(FullHttpRequest message) {
    return new HttpRequest(
        message.method().name(),
        message.uri(),
        headers(message.headers()),
        ByteBufUtil.getBytes(message.content()));
  }

  /// A message to write for an answer.
  ///
  /// @param keepAlive whether the connection stays open after it
  public static FullHttpResponse response(HttpResponse response, boolean keepAlive) {
    return response(
        response.status(),
        response.headers(),
        Unpooled.wrappedBuffer(response.body()),
        keepAlive ? Persistence.KEEP : Persistence.CLOSE);
  }

  /// A message to write for an answer whose body is in a buffer, which belongs to the message.
  static FullHttpResponse response(
      int status, Map<String, String> headers, ByteBuf body, Persistence persistence) {
    return new DefaultFullHttpResponse(
        HttpVersion.HTTP_1_1,
        HttpResponseStatus.valueOf(status),
        body,
        headers(headers, body.readableBytes(), persistence),
        EmptyHttpHeaders.INSTANCE);
  }

  /// The head of an answer in parts.
  ///
  /// @param length bytes of all parts, negative when nobody knows
  static HttpMessage head(
      int status,
      Map<String, String> headers,
      long length,
      Persistence persistence,
      boolean isChunked) {
    DefaultHttpHeaders all = headers(headers, length, persistence);
    if (isChunked) {
      all.set(TRANSFER_ENCODING, HttpHeaderValues.CHUNKED);
    }
    return new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(status), all);
  }

  private static DefaultHttpHeaders headers(
      Map<String, String> headers, long length, Persistence persistence) {
    DefaultHttpHeaders all = new DefaultHttpHeaders();
    headers.forEach(all::set);
    if (length >= 0) {
      all.set(CONTENT_LENGTH, length);
    }
    switch (persistence) {
      case KEEP -> {}
      case KEEP_AND_SAY_SO -> all.set(CONNECTION, HttpHeaderValues.KEEP_ALIVE);
      case CLOSE -> all.set(CONNECTION, HttpHeaderValues.CLOSE);
    }
    return all;
  }

  static FullHttpRequest message(HttpRequest request, String host) {
    FullHttpRequest message =
        new DefaultFullHttpRequest(
            HttpVersion.HTTP_1_1,
            HttpMethod.valueOf(request.method()),
            request.target(),
            Unpooled.wrappedBuffer(request.body()));
    message.headers().set(HOST, host);
    request.headers().forEach((name, value) -> message.headers().set(name, value));
    message.headers().setInt(CONTENT_LENGTH, request.body().length);
    return message;
  }

  static Map<String, String> headers(HttpHeaders headers) {
    Map<String, String> map = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    headers.forEach(entry -> map.put(entry.getKey(), entry.getValue()));
    return map;
  }
}
