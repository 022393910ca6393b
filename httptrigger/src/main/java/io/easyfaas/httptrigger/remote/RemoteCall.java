package io.easyfaas.httptrigger.remote;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.http.HttpBody;
import io.easyfaas.common.http.HttpClient;
import io.easyfaas.common.http.HttpException;
import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.invoke.Call;
import io.easyfaas.common.invoke.CallFailure;
import io.easyfaas.common.invoke.CallRequest;
import io.easyfaas.common.invoke.CallSink;
import io.easyfaas.common.invoke.CallTerms;
import io.easyfaas.common.invoke.FunctionReference;
import io.easyfaas.common.invoke.Receipt;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.json.JsonException;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.wire.ErrorDocument;
import io.easyfaas.common.wire.Headers;
import io.netty.buffer.Unpooled;
import java.net.URLEncoder;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One call over HTTP. A thread of its own waits for the answer; to cancel it is to interrupt that
/// thread, which closes the connection, which the controller takes as a client that left.
final class RemoteCall implements Call, Runnable {
  // A function may run for 15 minutes, and its call may wait for a slot before.
  private static final Duration LONGEST = Duration.ofMinutes(16);

  private static final Logger LOG = LoggerFactory.getLogger(RemoteCall.class);

  private final HttpClient controller;
  private final CallRequest request;
  private final CallSink sink;
  private volatile @Nullable Thread waiting;
  private volatile boolean cancelled;

  RemoteCall(HttpClient controller, CallRequest request, CallSink sink) {
    this.controller = controller;
    this.request = request;
    this.sink = sink;
  }

  void begin(Executor threads) {
    try {
      threads.execute(this);
    } catch (RejectedExecutionException _) {
      request.event().release();
      fail(new ApiException(ErrorCode.UNAVAILABLE, "the engine is stopping"));
    }
  }

  /// Either this sees the thread, or the thread sees that it is not wanted.
  @Override
  public void cancel() {
    cancelled = true;
    Thread thread = waiting;
    if (thread != null) {
      thread.interrupt();
    }
  }

  @Override
  public void taken(int bytes) {}

  @Override
  public void run() {
    waiting = Thread.currentThread();
    try {
      if (!cancelled) {
        tell(controller.send(message(), patience()));
      }
    } catch (HttpException e) {
      fail(failure(e));
    } catch (Throwable e) { // Whatever it is, somebody waits for an outcome.
      LOG.error("call of {}", request.function().name(), e);
      fail(new ApiException(ErrorCode.BAD_GATEWAY, "no answer from the controller: " + e));
    } finally {
      waiting = null;
      request.event().release();
    }
  }

  private HttpRequest message() {
    FunctionReference function = request.function();
    CallTerms terms = request.terms();
    String target = "/v1/functions/" + function.name() + "/invocations";
    if (!function.qualifier().isEmpty()) {
      target += "?Qualifier=" + URLEncoder.encode(function.qualifier(), UTF_8);
    }
    Map<String, String> headers = new TreeMap<>();
    headers.put("Content-Type", "application/json");
    headers.put(Headers.ACCOUNT_ID, function.account());
    headers.put("Authorization", function.authorization());
    headers.put(Headers.REQUEST_ID, new String(request.requestId(), ISO_8859_1));
    headers.put(Headers.TRIGGER, terms.trigger());
    headers.put(Headers.LOG_TYPE, terms.log() == CallTerms.LogWish.TAIL ? "Tail" : "");
    headers.put("Traceparent", request.headers().traceparent());
    headers.put("Tracestate", request.headers().tracestate());
    headers.put(
        Headers.CLIENT_CONTEXT,
        Base64.getEncoder().encodeToString(request.headers().clientContext().getBytes(UTF_8)));
    headers.values().removeIf(String::isEmpty);
    return new HttpRequest("POST", target, headers, new HttpBody.Buffer(request.event()));
  }

  private Duration patience() {
    return request.terms().isImpatient() ? request.terms().patience() : LONGEST;
  }

  private void tell(HttpResponse response) {
    if (response.status() == 200) {
      sink.answered(receipt(response), Unpooled.wrappedBuffer(response.body()));
    } else {
      fail(failure(response));
    }
  }

  private static Receipt receipt(HttpResponse response) {
    String log =
        response
            .header(Headers.LOG_RESULT)
            .flatMap(RemoteCall::decoded)
            .map(bytes -> new String(bytes, UTF_8))
            .orElse("");
    long nanos = response.header(Headers.EXEC_TIME).map(RemoteCall::nanos).orElse(-1L);
    return new Receipt(response.header(Headers.FUNCTION_ERROR).isPresent(), nanos, log);
  }

  // What only describes an answer, and cannot be read, is left out: the answer is worth more.

  private static Optional<byte[]> decoded(String base64) {
    try {
      return Optional.of(Base64.getDecoder().decode(base64));
    } catch (IllegalArgumentException _) {
      return Optional.empty();
    }
  }

  private static long nanos(String millis) {
    try {
      return Math.round(Double.parseDouble(millis) * 1_000_000);
    } catch (NumberFormatException _) {
      return -1;
    }
  }

  /// What the controller refused or failed, as it says.
  private static ApiException failure(HttpResponse response) {
    Optional<Duration> retryAfter =
        response
            .header(Headers.RETRY_AFTER)
            .filter(text -> text.matches("[0-9]{1,9}")) // Or a date, of a proxy between.
            .map(Long::parseLong)
            .map(Duration::ofSeconds);
    try {
      ErrorDocument document = Json.PASCAL.read(response.body(), ErrorDocument.class);
      return new ApiException(
          ErrorCode.of(Objects.requireNonNullElse(document.code(), ""), response.status()),
          Objects.requireNonNullElse(document.cause(), ""),
          document.backtrace().stream().map(ErrorDocument::message).toList(),
          retryAfter);
    } catch (JsonException _) {
      return new ApiException(
          ErrorCode.of("", response.status()), response.text(), List.of(), retryAfter);
    }
  }

  private static ApiException failure(HttpException e) {
    return switch (e.getCause()) {
      case ApiException noRoom -> noRoom;
      case TimeoutException _ ->
          new ApiException(ErrorCode.GATEWAY_TIMEOUT, String.valueOf(e.getMessage()));
      case null, default -> new ApiException(ErrorCode.BAD_GATEWAY, String.valueOf(e.getMessage()));
    };
  }

  private void fail(ApiException why) {
    if (!cancelled) {
      sink.failed(CallFailure.of(why));
    }
  }
}
