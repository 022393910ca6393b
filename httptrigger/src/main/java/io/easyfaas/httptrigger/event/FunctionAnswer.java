package io.easyfaas.httptrigger.event;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.json.JsonException;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.wire.ErrorDocument;
import io.easyfaas.common.wire.Headers;
import java.math.BigInteger;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// What the controller's answer to a call means as an HTTP response, see docs/http-trigger.md.
/// Pure.
public final class FunctionAnswer {
  private static final String CONTENT_TYPE = "Content-Type";
  private static final int BAD_GATEWAY = 502;
  private static final Pattern HEADER_NAME = Pattern.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]+");
  private static final Pattern HEADER_VALUE = Pattern.compile("[\\t\\x20-\\x7e\\x80-\\uffff]*");

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

  /// The error members of a failed function.
  ///
  /// @param errorMessage what went wrong
  /// @param errorType absent when the engine did not know one
  private record Failure(@Nullable String errorMessage, @Nullable String errorType) {}

  private FunctionAnswer() {}

  /// The response for the controller's answer.
  ///
  /// @throws ApiException BAD_GATEWAY when the function's answer has the form of a response but
  ///   cannot be one
  public static HttpResponse toHttp(HttpResponse answer) {
    if (answer.status() >= 500) {
      return controllerFailed(answer);
    }
    if (answer.status() != 200) {
      return new HttpResponse(answer.status(), passedOn(answer.headers()), answer.body());
    }
    if (answer.header(Headers.FUNCTION_ERROR).isPresent()) {
      return functionFailed(answer);
    }
    return functionAnswered(answer);
  }

  private static HttpResponse controllerFailed(HttpResponse answer) {
    ErrorDocument document =
        new ErrorDocument(
            ErrorCode.INTERNAL.wireName(),
            answer.text(),
            ErrorCode.INTERNAL.message(),
            BAD_GATEWAY,
            "Server",
            List.of());
    return withEngineHeaders(HttpResponse.document(BAD_GATEWAY, document), answer);
  }

  private static HttpResponse functionFailed(HttpResponse answer) {
    Failure failure;
    try {
      failure = Json.CAMEL.read(answer.body(), Failure.class);
    } catch (JsonException _) {
      throw new ApiException(ErrorCode.BAD_GATEWAY, answer.text());
    }
    HttpResponse response =
        HttpResponse.json(500, Json.CAMEL.write(failure))
            .withHeader(CONTENT_TYPE, "application/json; charset=utf-8");
    return withEngineHeaders(response, answer);
  }

  private static HttpResponse functionAnswered(HttpResponse answer) {
    Object value;
    try {
      value = Json.CAMEL.read(answer.body(), Object.class);
    } catch (JsonException _) {
      return raw(answer, "text/plain");
    }
    if (!(value instanceof Map<?, ?> document)) {
      return raw(answer, "text/plain");
    }
    Optional<Integer> status = status(document.get("statusCode"));
    boolean hasTextBody = document.get("body") == null || document.get("body") instanceof String;
    boolean hasHeaders = document.get("headers") == null || document.get("headers") instanceof Map;
    if (status.isEmpty() || !hasTextBody || !hasHeaders) {
      return raw(answer, "application/json");
    }
    if (status.get() < 200) {
      throw badResponse(
          "statusCode", status.get().toString(), "200 to 599: 1xx is no final answer");
    }
    return response(status.get(), document, answer);
  }

  private static HttpResponse response(int status, Map<?, ?> document, HttpResponse answer) {
    Map<String, String> headers = headers(document.get("headers"));
    byte[] body = body(document);
    HttpResponse response = new HttpResponse(status, headers, body);
    if (body.length > 0 && response.header(CONTENT_TYPE).isEmpty()) {
      response = response.withHeader(CONTENT_TYPE, "text/plain; charset=utf-8");
    }
    Optional<String> requestId = answer.header(Headers.REQUEST_ID);
    return requestId.isPresent() && response.header(Headers.REQUEST_ID).isEmpty()
        ? response.withHeader(Headers.REQUEST_ID, requestId.get())
        : response;
  }

  private static Optional<Integer> status(@Nullable Object value) {
    if (value instanceof Integer number && number >= 100 && number <= 599) {
      return Optional.of(number);
    }
    return Optional.empty();
  }

  private static byte[] body(Map<?, ?> document) {
    String text = document.get("body") instanceof String body ? body : "";
    if (!Boolean.TRUE.equals(document.get("isBase64Encoded"))) {
      return text.getBytes(UTF_8);
    }
    try {
      return Base64.getDecoder().decode(text);
    } catch (IllegalArgumentException e) {
      throw badResponse("body", "not base64: " + e.getMessage(), "base64, as isBase64Encoded says");
    }
  }

  private static Map<String, String> headers(@Nullable Object value) {
    Map<String, String> headers = new HashMap<>();
    if (value instanceof Map<?, ?> map) {
      map.forEach((key, content) -> {
        String name = String.valueOf(key);
        String text = headerText(name, content);
        if (!HEADER_NAME.matcher(name).matches() || !HEADER_VALUE.matcher(text).matches()) {
          throw badResponse("headers", "\"" + name + "\"", "names and values RFC 9110 allows");
        }
        headers.put(name, text);
      });
    }
    return passedOn(headers);
  }

  private static String headerText(String name, @Nullable Object value) {
    return switch (value) {
      case null -> "";
      case String text -> text;
      case Boolean flag -> flag.toString();
      case Integer number -> number.toString();
      case Long number -> number.toString();
      case BigInteger number -> number.toString();
      case Double number -> number.toString();
      default -> throw badResponse("headers", "\"" + name + "\"", "a text, number or boolean");
    };
  }

  private static HttpResponse raw(HttpResponse answer, String contentType) {
    return new HttpResponse(200, passedOn(answer.headers()), answer.body())
        .withHeader(CONTENT_TYPE, contentType);
  }

  private static HttpResponse withEngineHeaders(HttpResponse response, HttpResponse answer) {
    HttpResponse more = response;
    for (String name :
        List.of(
            Headers.REQUEST_ID, Headers.EXEC_TIME, Headers.FUNCTION_ERROR, Headers.LOG_RESULT)) {
      Optional<String> value = answer.header(name);
      if (value.isPresent()) {
        more = more.withHeader(name, value.get());
      }
    }
    return more;
  }

  private static Map<String, String> passedOn(Map<String, String> headers) {
    Map<String, String> copy = new HashMap<>(headers);
    copy.keySet().removeIf(name -> NOT_PASSED_ON.contains(name.toLowerCase(Locale.ROOT)));
    return copy;
  }

  private static ApiException badResponse(String member, String value, String expected) {
    return new ApiException(
        ErrorCode.BAD_GATEWAY,
        "function response error: " + member + ": " + value + " (expected: " + expected + ")");
  }
}
