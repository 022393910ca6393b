package io.easyfaas.funclet.admin;

import io.easyfaas.common.http.HttpHandler;
import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.http.Router;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.json.JsonException;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.common.wire.ContainerInfo;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.wire.FreezeRequest;
import io.easyfaas.common.wire.FuncletApi;
import io.easyfaas.common.wire.Headers;
import io.easyfaas.common.wire.PrewarmRequest;
import io.easyfaas.common.wire.ResetRequest;
import io.easyfaas.common.wire.WarmupRequest;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The routes of funclet's API. Thread-safe.
///
/// | method and path | answer |
/// | --- | --- |
/// | `GET /v1/hello` | `"hello funclet"` |
/// | `POST /v1/funclet/prewarm`, `/v1/funclet/warmup` | `{"Container":…}` |
/// | `POST /v1/funclet/freeze`, `/v1/funclet/thaw` | `""` |
/// | `POST /v1/funclet/cooldown`, `/v1/funclet/reborn` | `{"Container":…,"Exit":…,"WasEmpty":…}` |
/// | `GET /v1/funclet/list?ContainerIDs=a,b` | array of containers |
/// | `GET /v1/funclet/container/{ContainerID}` | one container with live statistics |
/// | `POST /v1/funclet/reset` | `""` once every container was reset |
/// | `GET /v1/funclet/node` | `{"Resource":…}` |
/// | `GET /healthz`, `/healthz/ping`, `/version` | |
///
/// Every path takes `timeout=10s`: the answer is 504 after that time, while the work goes on.
public final class AdminApi implements HttpHandler {
  private static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(340); // As the reference.
  private static final int MAX_IN_FLIGHT = 4000; // As the reference.
  private static final Pattern TIMEOUT = Pattern.compile("([0-9]{1,6})(ms|s|m)");

  private final FuncletApi funclet;
  private final Map<String, String> version;
  private final Router router;
  private final Semaphore inFlight = new Semaphore(MAX_IN_FLIGHT);

  /// @param version what `/version` answers
  public AdminApi(FuncletApi funclet, Map<String, String> version) {
    this.funclet = funclet;
    this.version = new TreeMap<>(version);
    this.router =
        Router.builder()
            .route("GET", "/v1/hello", (_, _) -> HttpResponse.document(200, "hello funclet"))
            .route("POST", "/v1/funclet/prewarm", (request, _) -> prewarm(request))
            .route("POST", "/v1/funclet/freeze", (request, _) -> freeze(request))
            .route("POST", "/v1/funclet/thaw", (request, _) -> thaw(request))
            .route("POST", "/v1/funclet/warmup", (request, _) -> warmup(request))
            .route("POST", "/v1/funclet/cooldown", (request, _) -> cooldown(request))
            .route("POST", "/v1/funclet/reborn", (request, _) -> reborn(request))
            .route("GET", "/v1/funclet/list", (request, _) -> list(request))
            .route("GET", "/v1/funclet/container/{ContainerID}", (_, path) -> container(path))
            .route("POST", "/v1/funclet/reset", (request, _) -> resetAll(request))
            .route("GET", "/v1/funclet/node", (_, _) -> HttpResponse.document(200, funclet.node()))
            .route("GET", "/healthz", (request, _) -> health(request))
            .route("GET", "/healthz/ping", (request, _) -> health(request))
            .route("GET", "/version", (_, _) -> HttpResponse.document(200, this.version))
            .build();
  }

  @Override
  public HttpResponse handle(HttpRequest request) {
    String id =
        request
            .header(Headers.REQUEST_ID, Headers.LEGACY_REQUEST_ID)
            .orElseGet(() -> UUID.randomUUID().toString());
    HttpResponse response;
    try {
      response = inTime(request.withHeader(Headers.REQUEST_ID, id));
    } catch (ApiException e) {
      response = HttpResponse.error(e);
    }
    return response.withHeader(Headers.REQUEST_ID, id);
  }

  private HttpResponse inTime(HttpRequest request) {
    Duration timeout = parameter(request, "timeout").map(AdminApi::timeout).orElse(DEFAULT_TIMEOUT);
    if (!inFlight.tryAcquire()) {
      throw new ApiException(
          ErrorCode.UNAVAILABLE, "more than " + MAX_IN_FLIGHT + " requests are in flight");
    }
    FutureTask<HttpResponse> work =
        new FutureTask<>(() -> {
          try {
            return router.handle(request);
          } finally {
            inFlight.release();
          }
        });
    Thread.ofVirtual().name("funclet-" + request.target()).start(work);
    try {
      return work.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException _) {
      throw new ApiException(
          ErrorCode.GATEWAY_TIMEOUT,
          request.method()
              + " "
              + request.target()
              + ": no answer in "
              + timeout.toMillis()
              + " ms");
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw new ApiException(ErrorCode.UNAVAILABLE, "the engine is stopping");
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      throw new ApiException(ErrorCode.SERVICE, String.valueOf(e.getCause()));
    }
  }

  private HttpResponse prewarm(HttpRequest request) {
    return HttpResponse.document(200, funclet.prewarm(document(request, PrewarmRequest.class)));
  }

  private HttpResponse freeze(HttpRequest request) {
    funclet.freeze(document(request, FreezeRequest.class));
    return HttpResponse.document(200, "");
  }

  private HttpResponse thaw(HttpRequest request) {
    funclet.thaw(document(request, FreezeRequest.class));
    return HttpResponse.document(200, "");
  }

  private HttpResponse warmup(HttpRequest request) {
    return HttpResponse.document(200, funclet.warmup(document(request, WarmupRequest.class)));
  }

  private HttpResponse cooldown(HttpRequest request) {
    return HttpResponse.document(200, funclet.cooldown(document(request, ResetRequest.class)));
  }

  private HttpResponse reborn(HttpRequest request) {
    return HttpResponse.document(200, funclet.reborn(document(request, ResetRequest.class)));
  }

  private HttpResponse list(HttpRequest request) {
    String ids = parameter(request, "ContainerIDs").orElse("");
    List<ContainerInfo> all = funclet.list();
    if (ids.isEmpty()) {
      return HttpResponse.document(200, all);
    }
    Set<String> wanted = Set.copyOf(List.of(ids.split(",")));
    return HttpResponse.document(
        200, all.stream().filter(info -> wanted.contains(info.containerID().value())).toList());
  }

  private HttpResponse container(List<String> path) {
    ContainerId id;
    try {
      id = new ContainerId(path.getFirst());
    } catch (IllegalArgumentException e) {
      throw new ApiException(ErrorCode.INVALID_PARAMETER, String.valueOf(e.getMessage()));
    }
    return HttpResponse.document(200, funclet.container(id));
  }

  /// Resets what can be reset and says what could not.
  private HttpResponse resetAll(HttpRequest request) {
    String requestId = request.header(Headers.REQUEST_ID).orElse("");
    Map<String, String> failures = new TreeMap<>();
    for (ContainerInfo info : funclet.list()) {
      try {
        funclet.reborn(new ResetRequest(info.containerID(), requestId, "reset of the node"));
      } catch (ApiException e) {
        failures.put(info.containerID().value(), String.valueOf(e.getMessage()));
      }
    }
    if (!failures.isEmpty()) {
      throw new ApiException(
          ErrorCode.SERVICE,
          "not reset: " + String.join(", ", failures.keySet()),
          List.copyOf(failures.values()));
    }
    return HttpResponse.document(200, "");
  }

  private static HttpResponse health(HttpRequest request) {
    return parameter(request, "verbose").isPresent()
        ? HttpResponse.text(200, "[+]ping ok\nhealthz check passed\n")
        : HttpResponse.text(200, "ok");
  }

  private static <T> T document(HttpRequest request, Class<T> type) {
    try {
      return Json.PASCAL.read(request.body(), type);
    } catch (JsonException e) {
      throw new ApiException(ErrorCode.INVALID_REQUEST_CONTENT, String.valueOf(e.getMessage()));
    }
  }

  private static Optional<String> parameter(HttpRequest request, String name) {
    try {
      return request.query(name);
    } catch (IllegalArgumentException e) {
      throw new ApiException(ErrorCode.INVALID_PARAMETER, "query: " + e.getMessage());
    }
  }

  private static Duration timeout(String text) {
    Matcher matcher = TIMEOUT.matcher(text);
    if (!matcher.matches()) {
      throw new ApiException(
          ErrorCode.INVALID_PARAMETER,
          "timeout: \"" + text + "\" (expected: a number and a unit, for example 10s)");
    }
    long number = Long.parseLong(matcher.group(1));
    return switch (matcher.group(2)) {
      case "ms" -> Duration.ofMillis(number);
      case "s" -> Duration.ofSeconds(number);
      default -> Duration.ofMinutes(number);
    };
  }
}
