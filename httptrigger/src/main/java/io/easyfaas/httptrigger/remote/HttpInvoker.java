package io.easyfaas.httptrigger.remote;

import io.easyfaas.common.http.HttpClient;
import io.easyfaas.common.http.HttpException;
import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.invoke.Call;
import io.easyfaas.common.invoke.CallRequest;
import io.easyfaas.common.invoke.CallSink;
import io.easyfaas.common.invoke.Invoker;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/// Calls functions of a controller elsewhere, over HTTP. Each call has a virtual thread that waits
/// for its answer. Thread-safe.
public final class HttpInvoker implements Invoker, AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(2);

  private final HttpClient controller;
  private final ExecutorService threads =
      Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("call-", 0).factory());

  /// @param controller stays the caller's to close
  public HttpInvoker(HttpClient controller) {
    this.controller = controller;
  }

  @Override
  public Call invoke(CallRequest request, CallSink sink) {
    RemoteCall call = new RemoteCall(controller, request, sink);
    call.begin(threads);
    return call;
  }

  /// What the controller says, or why it says nothing.
  @Override
  public Optional<String> unready() {
    try {
      HttpResponse answer = controller.send(HttpRequest.of("GET", "/readyz"), PATIENCE);
      return answer.status() == 200
          ? Optional.empty()
          : Optional.of("the controller is not ready: " + answer.text());
    } catch (HttpException e) {
      return Optional.of("the controller cannot be asked: " + e.getMessage());
    }
  }

  /// Cancels calls under way. Safe to call twice.
  @Override
  public void close() {
    threads.shutdownNow();
  }
}
