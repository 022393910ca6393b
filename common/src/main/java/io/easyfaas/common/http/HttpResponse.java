package io.easyfaas.common.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.json.Json;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.wire.Headers;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.regex.Pattern;

/// One answer. Immutable.
///
/// @param status 100 to 599
/// @param headers by case-insensitive name; Content-Length or Transfer-Encoding is added by the
///   server
/// @param content its body
public record HttpResponse(int status, Map<String, String> headers, HttpBody.Bytes content) {
  private static final Pattern REQUEST_ID = Pattern.compile("[\\x21-\\x7e]{1,128}");
  private static final String CONTENT_TYPE = "Content-Type";

  /// Makes the header names case-insensitive.
  public HttpResponse {
    Map<String, String> copy = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    copy.putAll(headers);
    headers = Collections.unmodifiableMap(copy);
  }

  /// An answer with a body in memory, whose bytes nobody changes.
  public HttpResponse(int status, Map<String, String> headers, byte[] body) {
    this(status, headers, new HttpBody.Bytes(body));
  }

  /// An answer without a body.
  public static HttpResponse empty(int status) {
    return new HttpResponse(status, Map.of(), HttpBody.NONE);
  }

  /// The body's bytes; empty when there is none.
  public byte[] body() {
    return content.bytes();
  }

  /// Plain text.
  public static HttpResponse text(int status, String text) {
    return new HttpResponse(
        status, Map.of(CONTENT_TYPE, "text/plain; charset=utf-8"), text.getBytes(UTF_8));
  }

  /// JSON that is already written.
  public static HttpResponse json(int status, byte[] json) {
    return new HttpResponse(status, Map.of(CONTENT_TYPE, "application/json"), json);
  }

  /// A document, in the engine's upper camel case.
  public static HttpResponse document(int status, Object document) {
    return json(status, Json.PASCAL.write(document));
  }

  /// What a failure becomes. The one place where failures become HTTP.
  public static HttpResponse error(ApiException failure) {
    ErrorCode code = failure.code();
    HttpResponse response =
        document(code.status(), failure.document())
            .withHeader("X-Amzn-ErrorType", code.wireName())
            .withHeader("X-Bce-ErrorType", code.wireName());
    return failure
        .retryAfter()
        .map(wait ->
            response.withHeader(Headers.RETRY_AFTER, Long.toString(Math.max(1, wait.toSeconds()))))
        .orElse(response);
  }

  /// The same, with its specific cause: the value and what was expected.
  public static HttpResponse error(ErrorCode code, String cause) {
    return error(new ApiException(code, cause));
  }

  /// What a failure becomes that nobody expected. It is for the caller to log.
  public static HttpResponse error(Throwable failure) {
    return error(ApiException.of(failure));
  }

  /// The same answer with one header more.
  public HttpResponse withHeader(String name, String value) {
    Map<String, String> more = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    more.putAll(headers);
    more.put(name, value);
    return new HttpResponse(status, more, content);
  }

  /// The same answer with the id of its request, unless it has one, or is no failure.
  ///
  /// @param given by the client; replaced by a new one where it cannot be used
  public HttpResponse identified(Optional<String> given) {
    if (status < 400 || headers.containsKey(Headers.REQUEST_ID)) {
      return this;
    }
    String id =
        given
            .filter(text -> REQUEST_ID.matcher(text).matches())
            .orElseGet(() -> UUID.randomUUID().toString());
    return withHeader(Headers.REQUEST_ID, id);
  }

  /// The value of a header.
  public Optional<String> header(String name) {
    return Optional.ofNullable(headers.get(name));
  }

  /// The body as UTF-8 text.
  public String text() {
    return new String(body(), UTF_8);
  }
}
