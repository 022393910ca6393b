package io.easyfaas.httptrigger.route;

import io.easyfaas.common.http.BodyRule;
import io.easyfaas.common.http.HttpClient;
import io.easyfaas.common.http.HttpException;
import io.easyfaas.common.http.HttpHandler;
import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.http.Router;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.wire.Headers;
import io.easyfaas.httptrigger.event.FunctionAnswer;
import io.easyfaas.httptrigger.event.HttpEvent;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeoutException;

/// The trigger's HTTP interface, see docs/http-trigger.md. Thread-safe.
public final class TriggerRoutes implements HttpHandler {
  private static final String TRIGGER = "faas-http-trigger";

  // What a client may say about its call besides the event. Whose call it is, is in the URL alone.
  private static final List<String> FORWARDED =
      List.of(
          "Authorization",
          Headers.INVOKE_TYPE,
          Headers.LOG_TYPE,
          Headers.LOG_TO_BODY,
          "Traceparent",
          "Tracestate");

  // A body is text or base64, and then part of a JSON document which is made in pieces.
  private static final int COPIES = 5;

  private final HttpClient controller;
  private final String region;
  private final Duration timeout;
  private final Router router;

  /// Creates the routes.
  ///
  /// @param controller stays the caller's to close
  /// @param region of every function that is called
  /// @param timeout the longest wait for the controller's answer
  public TriggerRoutes(HttpClient controller, String region, Duration timeout) {
    this.controller = controller;
    this.region = region;
    this.timeout = timeout;
    this.router =
        Router.builder()
            .route(
                "GET", "/hello", (_, _) -> HttpResponse.text(200, "hello controller http trigger"))
            .route("GET", "/healthz", (_, _) -> HttpResponse.text(200, "ok"))
            .route("*", "/{userID}/{function}", (request, path) -> call(request, path))
            .route("*", "/{userID}/{function}/{version}", (request, path) -> call(request, path))
            .build();
  }

  @Override
  public BodyRule bodyRule(HttpRequest head) {
    return BodyRule.whole(COPIES);
  }

  @Override
  public String accountOf(HttpRequest head) {
    List<String> path = head.path();
    return path.isEmpty() ? "" : path.getFirst();
  }

  @Override
  public HttpResponse handle(HttpRequest request) {
    return router.handle(request);
  }

  private HttpResponse call(HttpRequest request, List<String> path) {
    String requestId =
        request
            .header(Headers.REQUEST_ID, Headers.LEGACY_REQUEST_ID)
            .orElseGet(() -> UUID.randomUUID().toString());
    HttpResponse response;
    try {
      TriggerUrl url = TriggerUrl.of(path, region);
      HttpEvent event = HttpEvent.of(request, url.function(), url.account().id(), requestId);
      response = FunctionAnswer.toHttp(send(invocation(request, url, event, requestId)));
    } catch (ApiException e) {
      response = HttpResponse.error(e);
    }
    return response.header(Headers.REQUEST_ID).isPresent()
        ? response
        : response.withHeader(Headers.REQUEST_ID, requestId);
  }

  private static HttpRequest invocation(
      HttpRequest request, TriggerUrl url, HttpEvent event, String requestId) {
    String target = "/v1/functions/" + url.function() + "/invocations";
    HttpRequest invocation =
        HttpRequest.of("POST", target, event.toJson())
            .withHeader("Content-Type", "application/json")
            .withHeader(Headers.ACCOUNT_ID, url.account().id())
            .withHeader(Headers.REQUEST_ID, requestId)
            .withHeader(Headers.TRIGGER, TRIGGER);
    for (String name : FORWARDED) {
      String value = request.header(name).orElse("");
      if (!value.isEmpty()) {
        invocation = invocation.withHeader(name, value);
      }
    }
    return invocation;
  }

  private HttpResponse send(HttpRequest invocation) {
    try {
      return controller.send(invocation, timeout);
    } catch (HttpException e) {
      throw new ApiException(
          e.getCause() instanceof TimeoutException
              ? ErrorCode.GATEWAY_TIMEOUT
              : ErrorCode.BAD_GATEWAY,
          String.valueOf(e.getMessage()));
    }
  }
}
