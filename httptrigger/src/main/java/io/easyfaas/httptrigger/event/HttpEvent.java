package io.easyfaas.httptrigger.event;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.json.JsonWriter;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufInputStream;
import io.netty.buffer.ByteBufOutputStream;
import java.io.InputStreamReader;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/// The event a function gets for an HTTP request. The first four members are those of the original;
/// the others follow API Gateway's proxy event, version 1. It is written straight from the
/// request's bytes into the buffer that goes to the runner.
///
/// @param head the request without its body
/// @param path decoded, without the query
/// @param query decoded; of several values the last
/// @param function the function that is called
/// @param accountId the owner of the URL
/// @param requestId names the call in logs
public record HttpEvent(
    HttpRequest head,
    String path,
    Map<String, String> query,
    FunctionBrn function,
    String accountId,
    String requestId) {
  /// The largest event: it must fit in a frame to the runner, see docs/protocol.md §2.
  static final int MAX_BYTES = 6 << 20;

  // Everything but the body and the headers, as a rule.
  private static final int FRAME_BYTES = 1024;

  /// Copies the map.
  public HttpEvent {
    query = Map.copyOf(query);
  }

  /// The event of a request.
  ///
  /// @throws ApiException when path or query are malformed
  public static HttpEvent of(
      HttpRequest head, FunctionBrn function, String accountId, String requestId) {
    String path = "/" + String.join("/", head.path());
    return new HttpEvent(head, path, head.query(), function, accountId, requestId);
  }

  /// The event as the function gets it. Takes time in proportion to the body.
  ///
  /// @param body stays the caller's to release
  /// @return belongs to the caller
  /// @throws ApiException when it becomes too large in a JSON string
  public ByteBuf toJson(ByteBufAllocator allocator, ByteBuf body) {
    BodyKind kind = BodyKind.of(head, body);
    long length = kind.encodedLength(body);
    int headers = head.headers().values().stream().mapToInt(String::length).sum();
    if (length + 2L * headers + FRAME_BYTES > MAX_BYTES) {
      throw new ApiException(
          ErrorCode.REQUEST_TOO_LARGE,
          "body of "
              + length
              + " bytes in a JSON string (expected: an event of at most "
              + MAX_BYTES
              + " bytes)");
    }
    ByteBuf json = allocator.directBuffer((int) length + 2 * headers + FRAME_BYTES);
    boolean isWritten = false;
    try (JsonWriter writer = new JsonWriter(new ByteBufOutputStream(json))) {
      write(writer, kind, body.slice());
      isWritten = true;
    } finally {
      if (!isWritten) {
        json.release();
      }
    }
    return json;
  }

  private void write(JsonWriter writer, BodyKind kind, ByteBuf body) {
    writer.text("httpMethod", head.method()).object("headers");
    head.headers().forEach((name, value) -> writer.text(canonical(name), value));
    writer.end().texts("queryStringParameters", query);
    switch (kind) {
      case TEXT -> writer.text("body", new InputStreamReader(new ByteBufInputStream(body), UTF_8));
      case BINARY -> writer.base64("body", new ByteBufInputStream(body), body.readableBytes());
    }
    Map<String, String> context = new LinkedHashMap<>();
    context.put("requestId", requestId);
    context.put("accountId", accountId);
    context.put("functionBrn", function.toString());
    context.put("httpMethod", head.method());
    context.put("path", path);
    writer
        .flag("isBase64Encoded", kind == BodyKind.BINARY)
        .text("path", path)
        .texts("requestContext", context);
  }

  /// `content-TYPE` becomes `Content-Type`.
  private static String canonical(String name) {
    StringBuilder canonical = new StringBuilder(name.toLowerCase(Locale.ROOT));
    for (int i = 0; i < canonical.length(); i++) {
      if (i == 0 || canonical.charAt(i - 1) == '-') {
        canonical.setCharAt(i, Character.toUpperCase(canonical.charAt(i)));
      }
    }
    return canonical.toString();
  }
}
