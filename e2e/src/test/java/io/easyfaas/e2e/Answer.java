package io.easyfaas.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.net.http.HttpResponse;
import java.util.Base64;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// An HTTP answer as it came.
///
/// @param response of any of the engine's ports
record Answer(HttpResponse<byte[]> response) {
  private static final JsonMapper JSON = new JsonMapper();

  int status() {
    return response.statusCode();
  }

  String text() {
    return new String(response.body(), UTF_8);
  }

  /// The body, which must be JSON.
  JsonNode json() {
    return json(text());
  }

  Optional<String> header(String name) {
    return response.headers().firstValue(name);
  }

  /// Whether the function, or the engine, failed.
  boolean isFailed() {
    return header("X-easyfaas-Function-Error").isPresent();
  }

  /// The call's log: START line, the end of its output, END and REPORT lines. Empty when it was not
  /// asked for.
  String log() {
    return header("X-Bce-Log-Result")
        .map(encoded -> new String(Base64.getDecoder().decode(encoded), UTF_8))
        .orElse("");
  }

  /// Reads JSON.
  ///
  /// @throws AssertionError when it is none
  static JsonNode json(String text) {
    try {
      return JSON.readTree(text);
    } catch (tools.jackson.core.JacksonException e) {
      throw new AssertionError("not JSON: " + text, e);
    }
  }

  /// Writes JSON.
  static String write(Object value) {
    return JSON.writeValueAsString(value);
  }

  @Override
  public String toString() {
    return status() + " " + response.headers().map() + " " + text();
  }
}
