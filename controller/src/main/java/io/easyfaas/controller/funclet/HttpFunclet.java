package io.easyfaas.controller.funclet;

import io.easyfaas.common.http.HttpClient;
import io.easyfaas.common.http.HttpException;
import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.json.JsonException;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.common.wire.ContainerInfo;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.wire.ErrorDocument;
import io.easyfaas.common.wire.FreezeRequest;
import io.easyfaas.common.wire.FuncletApi;
import io.easyfaas.common.wire.FuncletNode;
import io.easyfaas.common.wire.Headers;
import io.easyfaas.common.wire.PrewarmRequest;
import io.easyfaas.common.wire.ResetRequest;
import io.easyfaas.common.wire.ResetResponse;
import io.easyfaas.common.wire.WarmupRequest;
import io.easyfaas.common.wire.WarmupResponse;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Funclet over HTTP on its unix socket. Thread-safe; every call blocks, at most what {@link
/// FuncletApi} says and a second for the way.
public final class HttpFunclet implements FuncletApi {
  private static final Logger LOG = LoggerFactory.getLogger(HttpFunclet.class);
  private static final Duration ASK_TIMEOUT = Duration.ofSeconds(11);
  private static final Duration RESET_TIMEOUT = Duration.ofSeconds(31);

  private final HttpClient client;
  private final Duration resetTimeout;
  private final AtomicLong answers = new AtomicLong();
  private volatile boolean gone;

  /// Creates a client; nothing is connected yet.
  public HttpFunclet(HttpClient client) {
    this(client, RESET_TIMEOUT);
  }

  /// Creates a client with another patience for resets.
  HttpFunclet(HttpClient client, Duration resetTimeout) {
    this.client = client;
    this.resetTimeout = resetTimeout;
  }

  @Override
  public boolean isGone() {
    return gone;
  }

  @Override
  public FuncletNode node() {
    return get("/v1/funclet/node", body -> Json.PASCAL.read(body, FuncletNode.class));
  }

  @Override
  public List<ContainerInfo> list() {
    return get("/v1/funclet/list", body -> Json.PASCAL.readList(body, ContainerInfo.class));
  }

  @Override
  public ContainerInfo container(ContainerId id) {
    return get("/v1/funclet/container/" + id, body -> Json.PASCAL.read(body, ContainerInfo.class));
  }

  @Override
  public WarmupResponse prewarm(PrewarmRequest request) {
    return post(
        "/v1/funclet/prewarm", request.requestID(), request, ASK_TIMEOUT, WarmupResponse.class);
  }

  @Override
  public WarmupResponse warmup(WarmupRequest request) {
    Long codeBytes = request.configuration().codeSize();
    Duration timeout = ASK_TIMEOUT.plusSeconds(codeBytes == null ? 0 : codeBytes / LEAST_CODE_RATE);
    return post("/v1/funclet/warmup", request.requestID(), request, timeout, WarmupResponse.class);
  }

  @Override
  public void freeze(FreezeRequest request) {
    post("/v1/funclet/freeze", request.requestID(), request, ASK_TIMEOUT, String.class);
  }

  @Override
  public void thaw(FreezeRequest request) {
    post("/v1/funclet/thaw", request.requestID(), request, ASK_TIMEOUT, String.class);
  }

  @Override
  public ResetResponse cooldown(ResetRequest request) {
    return post(
        "/v1/funclet/cooldown", request.requestID(), request, resetTimeout, ResetResponse.class);
  }

  @Override
  public ResetResponse reborn(ResetRequest request) {
    return post(
        "/v1/funclet/reborn", request.requestID(), request, resetTimeout, ResetResponse.class);
  }

  private <T> T get(String target, Function<byte[], T> reader) {
    return read(send(HttpRequest.of("GET", target), ASK_TIMEOUT), reader);
  }

  private <T> T post(
      String target, String requestId, Object document, Duration timeout, Class<T> type) {
    HttpRequest request =
        HttpRequest.of("POST", target, Json.PASCAL.write(document))
            .withHeader("Content-Type", "application/json")
            .withHeader(Headers.REQUEST_ID, requestId);
    return read(send(request, timeout), body -> Json.PASCAL.read(body, type));
  }

  private HttpResponse send(HttpRequest request, Duration timeout) {
    long answersBefore = answers.get();
    HttpResponse response;
    try {
      response = client.send(request, timeout);
    } catch (HttpException e) {
      String what = "funclet: " + Objects.requireNonNull(e.getMessage());
      if (!gone && saysThatItIsGone(e, answersBefore)) {
        gone = true;
        LOG.warn("{} (it is asked again until it answers)", what);
      }
      throw new ApiException(ErrorCode.UNAVAILABLE, "", List.of(what));
    }
    answers.incrementAndGet();
    if (gone) {
      gone = false;
      LOG.info("funclet answers");
    }
    if (response.status() == 200) {
      return response;
    }
    throw failure(response);
  }

  /// Who has answered others meanwhile is slow with this request only.
  private boolean saysThatItIsGone(HttpException failure, long answersBefore) {
    if (failure.isTooLarge()) {
      return false;
    }
    return switch (failure.getCause()) {
      case TimeoutException _ -> answers.get() == answersBefore;
      case InterruptedException _, ApiException _ -> false; // No fault of funclet's.
      case null, default -> true;
    };
  }

  private static <T> T read(HttpResponse response, Function<byte[], T> reader) {
    try {
      return reader.apply(response.body());
    } catch (JsonException e) {
      throw new ApiException(
          ErrorCode.SERVICE,
          "",
          List.of("funclet's answer: " + Objects.requireNonNull(e.getMessage())));
    }
  }

  /// Funclet's own failure, as it told it.
  private static ApiException failure(HttpResponse response) {
    try {
      ErrorDocument document = Json.PASCAL.read(response.body(), ErrorDocument.class);
      ErrorCode code =
          Arrays.stream(ErrorCode.values())
              .filter(each -> each.wireName().equals(document.code()))
              .findFirst()
              .orElse(ErrorCode.SERVICE);
      return new ApiException(
          code,
          Objects.requireNonNullElse(document.cause(), ""),
          document.backtrace().stream().map(ErrorDocument::message).toList());
    } catch (JsonException _) {
      return new ApiException(
          ErrorCode.SERVICE,
          "",
          List.of("funclet answered " + response.status() + ": " + response.text()));
    }
  }
}
