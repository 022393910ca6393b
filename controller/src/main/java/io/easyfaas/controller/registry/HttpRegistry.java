package io.easyfaas.controller.registry;

import io.easyfaas.common.function.FunctionDocument;
import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.common.http.HttpClient;
import io.easyfaas.common.http.HttpException;
import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.invoke.FunctionReference;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.json.JsonException;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.Headers;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/// A function registry over HTTP. Thread-safe.
///
/// The caller's `Authorization` reaches the registry only when the reference carries it; else the
/// registry sees the account id and whatever the network vouches for.
public final class HttpRegistry implements RegistryClient {
  /// What an answer may have at most. A function's variables go to its process whole, which is
  /// never that much.
  public static final int MAX_DOCUMENT_BYTES = 1024 * 1024;

  private final HttpClient client;
  private final String base;
  private final Duration timeout;

  /// Creates a client; nothing is connected yet.
  ///
  /// @param client takes answers of {@link #MAX_DOCUMENT_BYTES}
  /// @param version path segments between the registry's address and its resources, such as `v1`
  /// @param timeout the longest wait for one answer, connecting not counted
  public HttpRegistry(HttpClient client, String version, Duration timeout) {
    this.client = client;
    this.base = "/" + version + "/";
    this.timeout = timeout;
  }

  @Override
  public FunctionDocument function(FunctionReference reference, String requestId) {
    String target = base + "functions/" + encode(reference.name());
    if (!reference.qualifier().isEmpty()) {
      target += "?Qualifier=" + encode(reference.qualifier());
    }
    HttpRequest request = HttpRequest.of("GET", target).withHeader(Headers.REQUEST_ID, requestId);
    if (!reference.authorization().isEmpty()) {
      request = request.withHeader("Authorization", reference.authorization());
    }
    if (!reference.account().isEmpty()) {
      request = request.withHeader(Headers.ACCOUNT_ID, reference.account());
    }
    return RegistryClient.complete(
        get(request, FunctionDocument.class, RegistryClient::noFunction));
  }

  @Override
  public RuntimeConfiguration runtime(String name, String requestId) {
    HttpRequest request =
        HttpRequest.of("GET", base + "runtimes/" + encode(name) + "/configuration")
            .withHeader(Headers.REQUEST_ID, requestId);
    return get(request, RuntimeConfiguration.class, RegistryClient::noRuntime);
  }

  private <T> T get(
      HttpRequest request, Class<T> type, BiFunction<Integer, String, ApiException> refusal) {
    HttpResponse response;
    try {
      response = client.send(request, timeout);
    } catch (HttpException e) {
      throw e.isTooLarge()
          ? RegistryClient.badAnswer(text(e.getMessage()))
          : RegistryClient.noAnswer(text(e.getMessage()));
    }
    if (response.status() < 200 || response.status() > 206) {
      throw refusal.apply(response.status(), response.text());
    }
    try {
      return Json.PASCAL.read(response.body(), type);
    } catch (JsonException e) {
      throw RegistryClient.badAnswer(text(e.getMessage()));
    }
  }

  private static String text(@Nullable String message) {
    return message == null ? "no message" : message;
  }

  private static String encode(String text) {
    // A colon and a dollar sign may stand in a path and a query as they are (RFC 3986 §3.3), and
    // registries compare BRNs as text.
    return URLEncoder.encode(text, StandardCharsets.UTF_8)
        .replace("+", "%20")
        .replace("%3A", ":")
        .replace("%24", "$");
  }
}
