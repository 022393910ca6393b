package io.easyfaas.httptrigger.event;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.invoke.AnswerHead;
import io.easyfaas.common.invoke.Receipt;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.wire.Headers;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.IntFunction;
import java.util.regex.Pattern;

/// What a function's answer means as an HTTP response, see docs/http-trigger.md. Takes time in
/// proportion to the answer.
///
/// @param memory makes buffers of so many bytes, with an owner where they are many
/// @param requestId of the call
public record FunctionAnswer(IntFunction<ByteBuf> memory, String requestId) {
  private static final String CONTENT_TYPE = "Content-Type";
  private static final int MAX_TOLD_BYTES = 1024;
  private static final Pattern HEADER_NAME = Pattern.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]+");

  private static final Pattern HEADER_VALUE = Pattern.compile("[\\t\\x20-\\x7e\\x80-\\xff]*");

  // They belong to one connection, or are made by the server from the body (RFC 9110 §7.6.1, §8.6).
  private static final Set<String> NOT_PASSED_ON =
      Set.of(
          "connection",
          "content-length",
          "keep-alive",
          "proxy-authenticate",
          "proxy-connection",
          "te",
          "trailer",
          "transfer-encoding",
          "upgrade");

  // What the engine itself says about a call, in its own, older and its clients' words.
  private static final List<String> ENGINES_OWN =
      List.of("x-easyfaas-", "x-bce-", "x-amzn-errortype");

  /// The response for an answer.
  ///
  /// @param answer stays the caller's
  /// @throws ApiException BAD_GATEWAY when it has the form of a response but cannot be one
  public TriggerResponse toHttp(Receipt receipt, ByteBuf answer) {
    if (receipt.failed()) {
      return failed(receipt, answer);
    }
    ResponseDocument document = ResponseDocument.read(answer);
    return switch (document.form()) {
      case TEXT -> raw(receipt, answer, "text/plain");
      case OBJECT -> raw(receipt, answer, "application/json");
      case RESPONSE -> response(document, answer);
    };
  }

  /// The beginning of a response for the beginning of an answer in parts; without a body.
  ///
  /// @throws ApiException BAD_GATEWAY when it cannot begin a response
  public TriggerResponse toHttp(AnswerHead head) {
    int status = head.status() == 0 ? 200 : head.status();
    if (status < 200 || status > 599) {
      throw badResponse("status", Integer.toString(status), "200 to 599");
    }
    Map<String, Optional<String>> given = new HashMap<>();
    head.headers().forEach((name, value) -> given.put(name, Optional.of(value)));
    if (!head.contentType().isEmpty()) {
      given.put(CONTENT_TYPE, Optional.of(head.contentType()));
    }
    Map<String, String> headers = headers(given);
    headers.putIfAbsent(CONTENT_TYPE, "application/octet-stream");
    headers.put(Headers.REQUEST_ID, requestId);
    return new TriggerResponse(status, headers, Unpooled.EMPTY_BUFFER);
  }

  /// The headers of an answer that is passed on as it is.
  public Map<String, String> headers(Receipt receipt) {
    Map<String, String> headers = new HashMap<>();
    headers.put(Headers.REQUEST_ID, requestId);
    if (receipt.failed()) {
      headers.put(Headers.FUNCTION_ERROR, "Unhandled");
    }
    if (receipt.hasRun()) {
      headers.put(Headers.EXEC_TIME, receipt.executionMillis());
    }
    if (!receipt.log().isEmpty()) {
      headers.put(
          Headers.LOG_RESULT, Base64.getEncoder().encodeToString(receipt.log().getBytes(UTF_8)));
    }
    return headers;
  }

  private TriggerResponse failed(Receipt receipt, ByteBuf answer) {
    FailureDocument failure =
        FailureDocument.read(answer)
            .orElseThrow(() -> new ApiException(ErrorCode.BAD_GATEWAY, beginning(answer)));
    Map<String, String> headers = headers(receipt);
    headers.put(CONTENT_TYPE, "application/json; charset=utf-8");
    return new TriggerResponse(500, headers, failure.toJson());
  }

  /// What it says, for people, of an answer that may be long.
  private static String beginning(ByteBuf answer) {
    int told = Math.min(answer.readableBytes(), MAX_TOLD_BYTES);
    String text = answer.toString(answer.readerIndex(), told, UTF_8);
    return told < answer.readableBytes() ? text + "…" : text;
  }

  private TriggerResponse raw(Receipt receipt, ByteBuf answer, String contentType) {
    Map<String, String> headers = headers(receipt);
    headers.put(CONTENT_TYPE, contentType);
    return new TriggerResponse(200, headers, answer.retainedSlice());
  }

  private TriggerResponse response(ResponseDocument document, ByteBuf answer) {
    int status = document.status().orElseThrow();
    if (status < 200) {
      throw badResponse(
          "statusCode", Integer.toString(status), "200 to 599: 1xx is no final answer");
    }
    Map<String, String> headers = headers(document.headers());
    ByteBuf body = body(document, answer);
    if (body.isReadable()) {
      headers.putIfAbsent(CONTENT_TYPE, "text/plain; charset=utf-8");
    }
    headers.put(Headers.REQUEST_ID, requestId);
    return new TriggerResponse(status, headers, body);
  }

  private ByteBuf body(ResponseDocument document, ByteBuf answer) {
    if (document.body().isEmpty()) {
      return Unpooled.EMPTY_BUFFER;
    }
    JsonText text = new JsonText(answer.slice(), document.body().getAsInt());
    if (!document.isBase64()) {
      return text.decode(memory);
    }
    try {
      return text.decodeBase64(memory);
    } catch (IllegalArgumentException e) {
      throw badResponse("body", "not base64: " + e.getMessage(), "base64, as isBase64Encoded says");
    }
  }

  private static Map<String, String> headers(Map<String, Optional<String>> given) {
    Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    long length =
        given.entrySet().stream()
            .mapToLong(header -> ResponseDocument.size(header.getKey(), header.getValue()))
            .sum();
    if (length > ResponseDocument.MAX_HEADER_CHARS) {
      throw badResponse(
          "headers",
          length + " characters or more",
          "at most " + ResponseDocument.MAX_HEADER_CHARS);
    }
    given.forEach((name, value) -> {
      String told =
          value.orElseThrow(
              () -> badResponse("headers", "\"" + name + "\"", "a text, number or boolean"));
      String text = withoutBlanksAround(told);
      if (!HEADER_NAME.matcher(name).matches() || !HEADER_VALUE.matcher(text).matches()) {
        throw badResponse("headers", "\"" + name + "\"", "names and values RFC 9110 allows");
      }
      String lower = name.toLowerCase(Locale.ROOT);
      if (!NOT_PASSED_ON.contains(lower) && ENGINES_OWN.stream().noneMatch(lower::startsWith)) {
        headers.put(name, text);
      }
    });
    return headers;
  }

  /// They are no part of a header's value (RFC 9110 §5.5).
  private static String withoutBlanksAround(String value) {
    int start = 0;
    int end = value.length();
    while (start < end && isBlank(value.charAt(start))) {
      start++;
    }
    while (start < end && isBlank(value.charAt(end - 1))) {
      end--;
    }
    return value.substring(start, end);
  }

  private static boolean isBlank(char c) {
    return c == ' ' || c == '\t';
  }

  private static ApiException badResponse(String member, String value, String expected) {
    return new ApiException(
        ErrorCode.BAD_GATEWAY,
        "function response error: " + member + ": " + value + " (expected: " + expected + ")");
  }
}
