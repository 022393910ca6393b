package io.easyfaas.controller.call;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.http.Persistence;
import io.easyfaas.common.invoke.Receipt;
import io.easyfaas.common.wire.Headers;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;

/// Writes answers as they go over the wire.
///
/// A successful answer is written as bytes, head and body in one buffer: Netty's own response
/// objects and their encoder cost as much as all the rest of the warm path.
final class Answers {
  /// The type of what functions answer, and of the engine's refusals.
  static final String TEXT_TYPE = "text/plain; charset=utf-8";

  /// So much of a body is copied behind the head.
  static final int MAX_COPIED_BYTES = 8 * 1024;

  private static final int HEAD_BYTES = 512;
  private static final byte[] STATUS_OK = ascii("HTTP/1.1 200 OK");
  private static final byte[] TEXT = ascii("\r\nContent-Type: " + TEXT_TYPE);
  private static final byte[] REQUEST_ID = ascii("\r\n" + Headers.REQUEST_ID + ": ");
  private static final byte[] EXEC_TIME = ascii("\r\n" + Headers.EXEC_TIME + ": ");
  private static final byte[] FAILED = ascii("\r\n" + Headers.FUNCTION_ERROR + ": Unhandled");
  private static final byte[] LOG_RESULT = ascii("\r\n" + Headers.LOG_RESULT + ": ");
  private static final byte[] LENGTH = ascii("\r\nContent-Length: ");
  private static final byte[] END = ascii("\r\n\r\n");
  private static final byte[] NO_LOG = {};

  private Answers() {}

  /// A function's answer or error: always 200.
  ///
  /// @param execNanos time the call took; negative when it never ran
  /// @param log its end, empty when not wanted
  /// @param body stays the caller's to release
  static ByteBuf plain(
      ByteBufAllocator allocator,
      Persistence persistence,
      byte[] requestId,
      boolean failed,
      long execNanos,
      String log,
      ByteBuf body) {
    int size = body.readableBytes();
    boolean copied = size <= MAX_COPIED_BYTES;
    byte[] logResult = log.isEmpty() ? NO_LOG : base64(log);
    ByteBuf head = allocator.directBuffer(HEAD_BYTES + logResult.length + (copied ? size : 0));
    head.writeBytes(STATUS_OK);
    if (size > 0) {
      head.writeBytes(TEXT);
    }
    if (failed) {
      head.writeBytes(FAILED);
    }
    if (logResult.length > 0) {
      head.writeBytes(LOG_RESULT).writeBytes(logResult);
    }
    finishHead(head, persistence, requestId, execNanos, size);
    if (copied) {
      return head.writeBytes(body, body.readerIndex(), size);
    }
    return allocator.compositeDirectBuffer(2).addComponents(true, head, body.retain());
  }

  /// The headers of an answer in parts.
  ///
  /// @param type what the function says it is; not believed when HTTP does not allow it
  static Map<String, String> streamHeaders(String requestId, String type) {
    boolean isUsable =
        !type.isEmpty() && type.chars().allMatch(letter -> letter >= 0x20 && letter < 0x7f);
    return Map.of("Content-Type", isUsable ? type : TEXT_TYPE, Headers.REQUEST_ID, requestId);
  }

  /// What is known of an answer in parts when it has ended, under the names it would have had in a
  /// head.
  static Map<String, String> trailers(Receipt receipt) {
    Map<String, String> trailers = new LinkedHashMap<>();
    if (receipt.failed()) {
      trailers.put(Headers.FUNCTION_ERROR, "Unhandled");
    }
    if (receipt.hasRun()) {
      trailers.put(Headers.EXEC_TIME, receipt.executionMillis());
    }
    if (!receipt.log().isEmpty()) {
      trailers.put(Headers.LOG_RESULT, new String(base64(receipt.log()), ISO_8859_1));
    }
    return trailers;
  }

  private static byte[] base64(String log) {
    return Base64.getEncoder().encode(log.getBytes(UTF_8));
  }

  private static void finishHead(
      ByteBuf head, Persistence persistence, byte[] requestId, long execNanos, int bodyBytes) {
    head.writeBytes(REQUEST_ID).writeBytes(requestId);
    if (execNanos >= 0) {
      head.writeBytes(EXEC_TIME);
      long micros = execNanos / 1000;
      writeNumber(head, micros / 1000);
      head.writeByte('.');
      int rest = (int) (micros % 1000);
      head.writeByte('0' + rest / 100).writeByte('0' + rest / 10 % 10).writeByte('0' + rest % 10);
    }
    persistence.writeTo(head);
    head.writeBytes(LENGTH);
    writeNumber(head, bodyBytes);
    head.writeBytes(END);
  }

  private static void writeNumber(ByteBuf buffer, long number) {
    if (number >= 10) {
      writeNumber(buffer, number / 10);
    }
    buffer.writeByte('0' + (int) (number % 10));
  }

  private static byte[] ascii(String text) {
    return text.getBytes(ISO_8859_1);
  }
}
