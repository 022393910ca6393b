package io.easyfaas.common.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.DefaultHttpResponse;
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
    return request(message, new HttpBody.Bytes(ByteBufUtil.getBytes(message.content())));
  }

  /// A request without its body.
  static HttpRequest head(io.netty.handler.codec.http.HttpRequest message) {
    return request(message, HttpBody.NONE);
  }

  /// A request with a body that is not in the message.
  static HttpRequest request(io.netty.handler.codec.http.HttpRequest message, HttpBody body) {
    return new HttpRequest(
        message.method().name(), message.uri(), headers(message.headers()), body);
  }

  /// A message to write for an answer.
  ///
  /// @param keepAlive whether the connection stays open after it
  public static FullHttpResponse response(HttpResponse response, boolean keepAlive) {
    ByteBuf body = Unpooled.wrappedBuffer(response.body());
    FullHttpResponse message =
        new DefaultFullHttpResponse(
            HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(response.status()), body);
    response.headers().forEach((name, value) -> message.headers().set(name, value));
    message.headers().setInt(CONTENT_LENGTH, response.body().length);
    if (!keepAlive) {
      message.headers().set(CONNECTION, HttpHeaderValues.CLOSE);
    }
    return message;
  }

  /// A message to write for an answer whose body is in a buffer, which belongs to the message.
  static FullHttpResponse response(
      int status, Map<String, String> headers, ByteBuf body, Persistence persistence) {
    FullHttpResponse message =
        new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(status), body);
    headers.forEach((name, value) -> message.headers().set(name, value));
    message.headers().setInt(CONTENT_LENGTH, body.readableBytes());
    sayWhatComesAfter(message, persistence);
    return message;
  }

  /// The head of an answer whose parts are written after it.
  ///
  /// @param length of all parts in bytes, negative when nobody knows
  /// @param isChunked whether they travel as chunks
  static io.netty.handler.codec.http.HttpResponse head(
      int status,
      Map<String, String> headers,
      long length,
      boolean isChunked,
      Persistence persistence) {
    DefaultHttpResponse message =
        new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(status));
    headers.forEach((name, value) -> message.headers().set(name, value));
    if (length >= 0) {
      message.headers().set(CONTENT_LENGTH, Long.toString(length));
    } else if (isChunked) {
      message.headers().set(TRANSFER_ENCODING, HttpHeaderValues.CHUNKED);
    }
    sayWhatComesAfter(message, persistence);
    return message;
  }

  /// Adds the header that tells what the connection does after the answer, if one is needed.
  private static void sayWhatComesAfter(HttpMessage message, Persistence persistence) {
    switch (persistence) {
      case KEEP -> {}
      case KEEP_AND_SAY_SO -> message.headers().set(CONNECTION, HttpHeaderValues.KEEP_ALIVE);
      case CLOSE -> message.headers().set(CONNECTION, HttpHeaderValues.CLOSE);
    }
  }

  /// The head of a request whose body is written after it.
  static io.netty.handler.codec.http.HttpRequest head(HttpRequest request, String host) {
    DefaultHttpRequest message =
        new DefaultHttpRequest(
            HttpVersion.HTTP_1_1, HttpMethod.valueOf(request.method()), request.target());
    message.headers().set(HOST, host);
    request.headers().forEach((name, value) -> message.headers().set(name, value));
    if (request.content().length() == HttpBody.UNKNOWN) {
      message.headers().set(TRANSFER_ENCODING, HttpHeaderValues.CHUNKED);
    } else {
      message.headers().set(CONTENT_LENGTH, Long.toString(request.content().length()));
    }
    return message;
  }

  /// A request that is sent whole.
  ///
  /// @throws IllegalArgumentException when a header is one that HTTP does not allow
  static FullHttpRequest message(HttpRequest request, String host) {
    ByteBuf body =
        request.content() instanceof HttpBody.Buffer held
            ? held.bytes().retainedSlice()
            : Unpooled.wrappedBuffer(request.body());
    try {
      FullHttpRequest message =
          new DefaultFullHttpRequest(
              HttpVersion.HTTP_1_1, HttpMethod.valueOf(request.method()), request.target(), body);
      message.headers().set(HOST, host);
      request.headers().forEach((name, value) -> message.headers().set(name, value));
      message.headers().setInt(CONTENT_LENGTH, body.readableBytes());
      return message;
    } catch (IllegalArgumentException e) {
      body.release();
      throw e;
    }
  }

  static Map<String, String> headers(HttpHeaders headers) {
    Map<String, String> map = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    headers.forEach(entry -> map.put(entry.getKey(), entry.getValue()));
    return map;
  }
}
