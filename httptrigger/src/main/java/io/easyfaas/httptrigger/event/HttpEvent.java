package io.easyfaas.httptrigger.event;

import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.json.Json;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/// The event a function gets for an HTTP request. The first four members are those of the original;
/// the others follow API Gateway's proxy event, version 1.
///
/// @param httpMethod upper case
/// @param headers names in canonical spelling (`Content-Type`); of several values the last
/// @param queryStringParameters decoded; of several values the last
/// @param body the request's body as text, or base64 of its bytes
/// @param isBase64Encoded which of the two
/// @param path the decoded path, without the query
/// @param requestContext what is known about the request besides
public record HttpEvent(
    String httpMethod,
    Map<String, String> headers,
    Map<String, String> queryStringParameters,
    String body,
    boolean isBase64Encoded,
    String path,
    RequestContext requestContext) {
  /// What is known about a request besides what the client sent.
  ///
  /// @param requestId names the call in logs
  /// @param accountId the owner of the URL
  /// @param functionBrn the function that is called
  /// @param httpMethod again, where handlers written for API Gateway look for it
  /// @param path likewise
  public record RequestContext(
      String requestId, String accountId, String functionBrn, String httpMethod, String path) {}

  /// Copies the maps.
  public HttpEvent {
    headers = Map.copyOf(headers);
    queryStringParameters = Map.copyOf(queryStringParameters);
  }

  /// The event of a request.
  ///
  /// @param accountId the plain account in the URL
  public static HttpEvent of(
      HttpRequest request, FunctionBrn function, String accountId, String requestId) {
    String path = "/" + String.join("/", request.path());
    boolean isBinary = BodyKind.of(request) == BodyKind.BINARY;
    return new HttpEvent(
        request.method(),
        canonical(request.headers()),
        request.query(),
        isBinary ? Base64.getEncoder().encodeToString(request.body()) : request.text(),
        isBinary,
        path,
        new RequestContext(requestId, accountId, function.toString(), request.method(), path));
  }

  /// The event as the function gets it.
  public byte[] toJson() {
    return Json.CAMEL.write(this);
  }

  private static Map<String, String> canonical(Map<String, String> headers) {
    Map<String, String> copy = new LinkedHashMap<>();
    headers.forEach((name, value) -> copy.put(canonical(name), value));
    return copy;
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
