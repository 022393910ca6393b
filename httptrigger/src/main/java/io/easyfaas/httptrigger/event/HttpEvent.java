package io.easyfaas.httptrigger.event;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.budget.Reservation;
import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.json.JsonWriter;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.io.InputStreamReader;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

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

  // Fewer are copied: they may be a little of a large buffer.
  private static final int MIN_PLAIN_BYTES = 16 * 1024;

  // The names of the members, and what is between them.
  private static final int FRAME_BYTES = 320;

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

  /// How the event of a body is written, and what it takes.
  ///
  /// @param kind of the body
  /// @param isPlain whether the body's bytes become part of the event as they are
  /// @param bytes of the event, at most
  public record Form(BodyKind kind, boolean isPlain, long bytes) {}

  /// Looks what becomes of a body. Takes time in proportion to it.
  ///
  /// @param body stays the caller's
  /// @throws ApiException when the event becomes too large
  public Form form(ByteBuf body) {
    int size = body.readableBytes();
    BodyKind kind = size == 0 ? BodyKind.TEXT : BodyKind.of(head);
    long escapes = 0;
    if (kind == BodyKind.TEXT) {
      TextScan scan = TextScan.of(body);
      kind = scan.isText() ? BodyKind.TEXT : BodyKind.BINARY;
      escapes = scan.escapes();
    }
    long length = kind == BodyKind.TEXT ? size + escapes : (size + 2L) / 3 * 4;
    long bytes = length + textBytes() + FRAME_BYTES;
    if (bytes > MAX_BYTES) {
      throw new ApiException(
          ErrorCode.REQUEST_TOO_LARGE,
          "body of "
              + length
              + " bytes in a JSON string (expected: an event of at most "
              + MAX_BYTES
              + " bytes)");
    }
    boolean isPlain = kind == BodyKind.TEXT && escapes == 0 && size >= MIN_PLAIN_BYTES;
    return new Form(kind, isPlain, bytes);
  }

  /// What the texts take that come from the request, but for its body.
  private long textBytes() {
    long bytes = 2 * TextScan.quotedBytes(head.method()) + 2 * TextScan.quotedBytes(path);
    for (Map<String, String> members : List.of(head.headers(), query)) {
      for (Map.Entry<String, String> member : members.entrySet()) {
        bytes +=
            TextScan.quotedBytes(member.getKey()) + TextScan.quotedBytes(member.getValue()) + 2;
      }
    }
    return bytes
        + TextScan.quotedBytes(requestId)
        + TextScan.quotedBytes(accountId)
        + TextScan.quotedBytes(function.toString());
  }

  /// The event as the function gets it. Takes time in proportion to the body, which is given back
  /// while the event grows, or becomes part of it.
  ///
  /// @param form of this very body
  /// @param body stays the caller's to release; what is in it afterwards is not said
  /// @param owner answers for the event from now on; null when nobody must, or the form is plain
  /// @return belongs to the caller
  public ByteBuf toJson(
      ByteBufAllocator allocator, Form form, ByteBuf body, @Nullable Reservation owner) {
    EventBytes event = new EventBytes(allocator, owner, form.bytes());
    try {
      try (JsonWriter writer = new JsonWriter(event)) {
        write(writer, form, body, event);
      } // Which writes what is left, and may find no memory for it.
      return event.finish();
    } catch (RuntimeException | Error e) {
      event.finish().release();
      throw e;
    }
  }

  private void write(JsonWriter writer, Form form, ByteBuf body, EventBytes event) {
    writer.text("httpMethod", head.method()).object("headers");
    head.headers().forEach((name, value) -> writer.text(canonical(name), value));
    writer.end().texts("queryStringParameters", query);
    if (form.isPlain()) {
      writer.text("body", () -> event.append(body.retainedSlice()));
    } else if (form.kind() == BodyKind.TEXT) {
      writer.text("body", new InputStreamReader(new BodyBytes(body), UTF_8));
    } else {
      writer.base64("body", new BodyBytes(body), body.readableBytes());
    }
    Map<String, String> context = new LinkedHashMap<>();
    context.put("requestId", requestId);
    context.put("accountId", accountId);
    context.put("functionBrn", function.toString());
    context.put("httpMethod", head.method());
    context.put("path", path);
    writer
        .flag("isBase64Encoded", form.kind() == BodyKind.BINARY)
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
