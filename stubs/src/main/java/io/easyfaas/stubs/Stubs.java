package io.easyfaas.stubs;

import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.http.EventLoops;
import io.easyfaas.common.http.HttpAddress;
import io.easyfaas.common.http.HttpException;
import io.easyfaas.common.http.HttpServer;
import io.easyfaas.stubs.registry.FunctionRegistry;
import io.easyfaas.stubs.registry.FunctionRoutes;
import io.easyfaas.stubs.registry.RuntimeCatalog;
import io.easyfaas.stubs.store.FunctionStore;
import io.easyfaas.stubs.store.StoreException;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/// The local registry as a service: a store, its rules, and a server. Thread-safe.
public final class Stubs implements AutoCloseable {
  // Of requests without code: a description.
  private static final int MAX_BODY_BYTES = 64 * 1024;

  private final List<Consumer<FunctionBrn>> listeners;
  private final FunctionStore store;
  private final FunctionRoutes routes;
  private final HttpServer server;

  private Stubs(
      List<Consumer<FunctionBrn>> listeners,
      FunctionStore store,
      FunctionRoutes routes,
      HttpServer server) {
    this.listeners = listeners;
    this.store = store;
    this.routes = routes;
    this.server = server;
  }

  /// Opens the function directory and listens.
  ///
  /// @param loops the process's event loops, which stay the caller's
  /// @throws StoreException when the directory cannot be used
  /// @throws HttpException when the address cannot be listened on; the directory is let go then
  public static Stubs start(StubsConfig config, EventLoops loops) {
    List<Consumer<FunctionBrn>> listeners = new CopyOnWriteArrayList<>();
    FunctionStore store = FunctionStore.open(config.functionDirectory(), config.limits());
    try {
      RuntimeCatalog runtimes = new RuntimeCatalog(config.runtimesDirectory());
      FunctionRegistry registry =
          new FunctionRegistry(
              store,
              runtimes,
              InstantSource.system(),
              revision -> listeners.forEach(listener -> listener.accept(revision)));
      FunctionRoutes routes = new FunctionRoutes(store, registry, runtimes, config.uploads());
      HttpServer server = HttpServer.start(config.address(), loops, MAX_BODY_BYTES, routes);
      return new Stubs(listeners, store, routes, server);
    } catch (RuntimeException | Error e) {
      store.close();
      throw e;
    }
  }

  /// Has a listener called with each revision that is changed or removed from now on, after the
  /// change is durable, on the thread of the request that made it.
  public void onChange(Consumer<FunctionBrn> listener) {
    listeners.add(listener);
  }

  /// What the engine asks for, without a connection.
  public FunctionRoutes routes() {
    return routes;
  }

  /// Where it listens, with the port the system chose.
  public HttpAddress address() {
    return server.address();
  }

  /// The TCP port.
  public int port() {
    return server.port();
  }

  /// Stops listening and lets go of the directory. Safe to call twice.
  @Override
  public void close() {
    server.close();
    store.close();
  }
}
