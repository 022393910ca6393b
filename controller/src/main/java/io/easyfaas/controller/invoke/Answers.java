package io.easyfaas.controller.invoke;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.json.Json;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.wire.Headers;
import io.easyfaas.controller.pool.Refusal;
import io.easyfaas.controller.registry.ResolvedFunction;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Writes answers as they go over the wire.
///
/// A successful answer is written as bytes, head and body in one buffer: Netty's own response
/// objects and their encoder cost as much as all the rest of the warm path.
final class Answers {
  /// What a connection does after an answer.
  enum Connection {
    /// It stays open, as is usual in HTTP/1.1.
    KEEP(""),
    /// It stays open, which an HTTP/1.0 client must be told.
    KEEP_AND_SAY_SO("\r\nConnection: keep-alive"),
    /// It closes.
    CLOSE("\r\nConnection: close");

    @SuppressWarnings("ImmutableEnumChecker") // Nobody writes to it.
    private final byte[] header;

    Connection(String header) {
      this.header = header.getBytes(US_ASCII);
    }
  }

  private record TimeoutError(String errorMessage) {}

  private record BodyWithLog(
      @Nullable String functionError, @Nullable String logResult, String payload) {}

  private static final int MAX_COPIED_BYTES = 8 * 1024;
  private static final int HEAD_BYTES = 512;
  private static final byte[] STATUS_OK = ascii("HTTP/1.1 200 OK");
  private static final byte[] TEXT = ascii("\r\nContent-Type: text/plain; charset=utf-8");
  private static final byte[] JSON_TYPE =
      ascii("\r\nContent-Type: application/json; charset=utf-8");
  private static final byte[] REQUEST_ID = ascii("\r\n" + Headers.REQUEST_ID + ": ");
  private static final byte[] EXEC_TIME = ascii("\r\n" + Headers.EXEC_TIME + ": ");
  private static final byte[] FAILED = ascii("\r\n" + Headers.FUNCTION_ERROR + ": Unhandled");
  private static final byte[] LOG_RESULT = ascii("\r\n" + Headers.LOG_RESULT + ": ");
  private static final byte[] LENGTH = ascii("\r\nContent-Length: ");
  private static final byte[] END = ascii("\r\n\r\n");

  private Answers() {}

  /// A function's answer or error: always 200.
  ///
  /// @param execNanos time the call took; negative when it never began
  /// @param logResult base64, empty when not wanted
  /// @param body stays the caller's to release
  static ByteBuf plain(
      ByteBufAllocator allocator,
      Connection connection,
      byte[] requestId,
      boolean failed,
      long execNanos,
      byte[] logResult,
      ByteBuf body) {
    int size = body.readableBytes();
    boolean copied = size <= MAX_COPIED_BYTES;
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
    finishHead(head, connection, requestId, execNanos, size);
    if (copied) {
      return head.writeBytes(body, body.readerIndex(), size);
    }
    return allocator.compositeDirectBuffer(2).addComponents(true, head, body.retain());
  }

  /// The same with payload and log in one JSON object. Costs time in proportion to the body: not
  /// for the event loop.
  static ByteBuf withLog(
      ByteBufAllocator allocator,
      Connection connection,
      byte[] requestId,
      boolean failed,
      long execNanos,
      String log,
      ByteBuf body) {
    byte[] json =
        Json.PASCAL.write(
            new BodyWithLog(
                failed ? "Unhandled" : null, log.isEmpty() ? null : log, body.toString(UTF_8)));
    ByteBuf answer = allocator.directBuffer(HEAD_BYTES + json.length);
    answer.writeBytes(STATUS_OK).writeBytes(JSON_TYPE);
    finishHead(answer, connection, requestId, execNanos, json.length);
    return answer.writeBytes(json);
  }

  /// The engine's own refusal or failure.
  static ByteBuf error(
      ByteBufAllocator allocator, Connection connection, byte[] requestId, ApiException failure) {
    ErrorCode code = failure.code();
    byte[] json = Json.PASCAL.write(failure.document());
    ByteBuf answer = allocator.directBuffer(HEAD_BYTES + json.length);
    answer.writeBytes(ascii("HTTP/1.1 " + code.status() + " " + reason(code.status())));
    answer.writeBytes(TEXT).writeBytes(FAILED);
    if (code == ErrorCode.TOO_MANY_REQUESTS || code == ErrorCode.UNAVAILABLE) {
      answer.writeBytes(ascii("\r\n" + Headers.RETRY_AFTER + ": 1"));
    }
    finishHead(answer, connection, requestId, -1, json.length);
    return answer.writeBytes(json);
  }

  /// The body of an answer to a call that took too long.
  static byte[] timeoutBody(String requestId, ResolvedFunction function) {
    return Json.CAMEL.write(
        new TimeoutError(
            requestId + " Task timed out after " + function.timeout().toSeconds() + " seconds"));
  }

  /// The engine's failure that a refusal stands for, if it is one.
  static Optional<ApiException> failure(Refusal refusal) {
    return switch (refusal) {
      case Refusal.Overloaded overloaded -> Optional.of(overloaded(overloaded.detail()));
      case Refusal.NeverFits unfit ->
          Optional.of(
              new ApiException(
                  ErrorCode.INVALID_PARAMETER, "no call can run", List.of(unfit.detail())));
      case Refusal.Stopping _ ->
          Optional.of(new ApiException(ErrorCode.UNAVAILABLE, "the engine is stopping"));
      case Refusal.WarmupFailed failed ->
          Optional.of(new ApiException(ErrorCode.SERVICE, "", List.of(failed.detail())));
      case Refusal.LoadFailed _ -> Optional.empty();
    };
  }

  /// A call that finds no room, now.
  ///
  /// @param detail which limit was hit
  static ApiException overloaded(String detail) {
    return new ApiException(ErrorCode.TOO_MANY_REQUESTS, "empty runtime", List.of(detail));
  }

  private static void finishHead(
      ByteBuf head, Connection connection, byte[] requestId, long execNanos, int bodyBytes) {
    head.writeBytes(REQUEST_ID).writeBytes(requestId);
    if (execNanos >= 0) {
      head.writeBytes(EXEC_TIME);
      long micros = execNanos / 1000;
      writeNumber(head, micros / 1000);
      head.writeByte('.');
      int rest = (int) (micros % 1000);
      head.writeByte('0' + rest / 100).writeByte('0' + rest / 10 % 10).writeByte('0' + rest % 10);
    }
    head.writeBytes(connection.header);
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

  private static String reason(int status) {
    return HttpResponseStatus.valueOf(status).reasonPhrase();
  }

  private static byte[] ascii(String text) {
    return text.getBytes(ISO_8859_1);
  }
}
