package io.easyfaas.httptrigger.remote;

import io.easyfaas.common.http.HttpClient;
import io.easyfaas.common.invoke.Call;
import io.easyfaas.common.invoke.CallRequest;
import io.easyfaas.common.invoke.CallSink;
import io.easyfaas.common.invoke.Invoker;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/// Calls functions of a controller elsewhere, over HTTP. Each call has a virtual thread that waits
/// for its answer. Thread-safe.
public final class HttpInvoker implements Invoker, AutoCloseable {
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

  /// Cancels calls under way. Safe to call twice.
  @Override
  public void close() {
    threads.shutdownNow();
  }
}
