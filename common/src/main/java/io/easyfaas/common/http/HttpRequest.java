package io.easyfaas.common.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.wire.Headers;
import java.io.InputStream;
import java.net.URLDecoder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BiConsumer;

/// One request. Immutable, but for a body that is a stream.
///
/// @param method upper case
/// @param target path and query as on the wire; `*` for the server itself
/// @param headers by case-insensitive name; of several values with one name the last wins
/// @param content its body
public record HttpRequest(
    String method, String target, Map<String, String> headers, HttpBody content) {

  /// Makes the header names case-insensitive.
  public HttpRequest {
    Map<String, String> copy = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    copy.putAll(headers);
    headers = Collections.unmodifiableMap(copy);
  }

  /// A request with a body in memory, whose bytes nobody changes.
  public HttpRequest(String method, String target, Map<String, String> headers, byte[] body) {
    this(method, target, headers, new HttpBody.Bytes(body));
  }

  /// A request without headers and body.
  public static HttpRequest of(String method, String target) {
    return of(method, target, HttpBody.NONE);
  }

  /// A request with a body.
  public static HttpRequest of(String method, String target, byte[] body) {
    return of(method, target, new HttpBody.Bytes(body));
  }

  /// A request with a body.
  public static HttpRequest of(String method, String target, HttpBody content) {
    return new HttpRequest(method, target, Map.of(), content);
  }

  /// The body's bytes; empty when there is none.
  ///
  /// @throws IllegalStateException when the body is a stream
  public byte[] body() {
    return content.inMemory();
  }

  /// The body, to be read once. Empty when there is none.
  public InputStream stream() {
    return content.stream();
  }

  /// The same request with one header more.
  public HttpRequest withHeader(String name, String value) {
    Map<String, String> more = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    more.putAll(headers);
    more.put(name, value);
    return new HttpRequest(method, target, more, content);
  }

  /// The value of a header, trimmed.
  public Optional<String> header(String name) {
    return Optional.ofNullable(headers.get(name)).map(String::strip);
  }

  /// The value of the first of these headers that is present and not empty.
  public Optional<String> header(String name, String legacyName) {
    return header(name)
        .filter(value -> !value.isEmpty())
        .or(() -> header(legacyName).filter(value -> !value.isEmpty()));
  }

  /// The path without the query, its segments percent-decoded, empty segments dropped: a slash at
  /// the end, or two in a row, change nothing.
  ///
  /// @throws ApiException when an escape is malformed
  public List<String> path() {
    int query = target.indexOf('?');
    String raw = query < 0 ? target : target.substring(0, query);
    List<String> segments = new ArrayList<>();
    for (String segment : raw.split("/", -1)) {
      if (!segment.isEmpty()) {
        segments.add(decode(segment.replace("+", "%2B")));
      }
    }
    return List.copyOf(segments);
  }

  /// The query's parameters; of several values with one name the last wins.
  ///
  /// @throws ApiException when an escape is malformed
  public Map<String, String> query() {
    Map<String, String> parameters = new LinkedHashMap<>();
    eachParameter(parameters::put);
    return parameters;
  }

  /// All values of one query parameter, in their order; empty when there are none.
  ///
  /// @throws ApiException when an escape is malformed
  public List<String> queryAll(String name) {
    List<String> values = new ArrayList<>();
    eachParameter((each, value) -> {
      if (each.equals(name)) {
        values.add(value);
      }
    });
    return List.copyOf(values);
  }

  /// The value of one query parameter.
  ///
  /// @throws ApiException when an escape is malformed
  public Optional<String> query(String name) {
    return Optional.ofNullable(query().get(name));
  }

  /// The body as UTF-8 text.
  ///
  /// @throws IllegalStateException when the body is a stream
  public String text() {
    return new String(body(), UTF_8);
  }

  private void eachParameter(BiConsumer<String, String> taker) {
    int start = target.indexOf('?');
    if (start < 0) {
      return;
    }
    for (String pair : target.substring(start + 1).split("&")) {
      int equals = pair.indexOf('=');
      if (!pair.isEmpty()) {
        taker.accept(
            decode(equals < 0 ? pair : pair.substring(0, equals)),
            equals < 0 ? "" : decode(pair.substring(equals + 1)));
      }
    }
  }

  private static String decode(String text) {
    try {
      return URLDecoder.decode(text, UTF_8);
    } catch (IllegalArgumentException _) {
      throw new ApiException(
          ErrorCode.INVALID_PARAMETER,
          "path or query: \"" + text + "\" (expected: % and two hexadecimal digits)");
    }
  }

  /// The id that the client gave it, in either spelling; any text.
  public Optional<String> requestId() {
    return header(Headers.REQUEST_ID, Headers.LEGACY_REQUEST_ID);
  }
}
