package io.easyfaas.controller.admin;

import io.easyfaas.common.http.HttpHandler;
import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.controller.pool.Unready;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What the controller answers besides calls: that it is alive and not ready, and to everything
/// else 503, until it is {@link #open}; then what the {@link AdminApi} does. Thread-safe.
public final class AdminFront implements HttpHandler {
  private volatile @Nullable HttpHandler api;

  /// From now on the API answers.
  public void open(AdminApi answering) {
    api = answering.routes();
  }

  @Override
  public int atOnce() {
    return FEW_AT_ONCE;
  }

  @Override
  public boolean isAtHand(HttpRequest request) {
    HttpHandler opened = api;
    return opened == null || opened.isAtHand(request);
  }

  @Override
  public HttpResponse handle(HttpRequest request) {
    HttpHandler opened = api;
    if (opened != null) {
      return opened.handle(request);
    }
    return switch (String.join("/", request.path())) {
      case "healthz" -> AdminApi.alive();
      case "readyz" -> AdminApi.readiness(List.of(Unready.STARTING.word()));
      default ->
          throw new ApiException(
              ErrorCode.UNAVAILABLE, "the engine is starting: funclet does not answer yet");
    };
  }
}
