package io.easyfaas.httptrigger;

import io.easyfaas.common.http.EventLoops;
import io.easyfaas.common.http.HttpAddress;
import io.easyfaas.common.http.HttpClient;
import io.easyfaas.common.http.HttpException;
import io.easyfaas.common.http.HttpServer;
import io.easyfaas.common.invoke.Invoker;
import io.easyfaas.httptrigger.remote.HttpInvoker;
import io.easyfaas.httptrigger.route.TriggerRoutes;
import java.time.Duration;
import java.util.List;

/// The HTTP trigger as a service: a server in front of a door. Thread-safe.
public final class HttpTrigger implements AutoCloseable {
  private static final Duration CLOSE_PATIENCE = Duration.ofSeconds(5);

  private final TriggerRoutes routes;
  private final HttpServer server;
  private final List<AutoCloseable> parts;

  private HttpTrigger(TriggerRoutes routes, HttpServer server, List<AutoCloseable> parts) {
    this.routes = routes;
    this.server = server;
    this.parts = parts;
  }

  /// Listens, in front of a controller that is reached over HTTP. It need not be there yet.
  ///
  /// @param loops the process's event loops, which stay the caller's
  /// @throws HttpException when the address cannot be listened on
  public static HttpTrigger start(HttpTriggerConfig config, EventLoops loops) {
    HttpClient controller = new HttpClient(config.controller(), loops);
    HttpInvoker invoker = new HttpInvoker(controller);
    return start(config, loops, invoker, List.of(invoker, controller));
  }

  /// Listens, in front of the engine of this process.
  ///
  /// @param loops the process's event loops, which stay the caller's
  /// @param invoker the engine's door
  /// @throws HttpException when the address cannot be listened on
  public static HttpTrigger start(HttpTriggerConfig config, EventLoops loops, Invoker invoker) {
    return start(config, loops, invoker, List.of());
  }

  private static HttpTrigger start(
      HttpTriggerConfig config, EventLoops loops, Invoker invoker, List<AutoCloseable> parts) {
    TriggerRoutes routes = new TriggerRoutes(invoker, config.region(), config.timeout(), loops);
    HttpServer server =
        HttpServer.start(
            config.address(),
            loops,
            Math.toIntExact(config.maxBodySize().bytes()),
            routes,
            routes::handler);
    return new HttpTrigger(routes, server, parts);
  }

  /// Where it listens, with the port the system chose.
  public HttpAddress address() {
    return server.address();
  }

  /// The TCP port.
  public int port() {
    return server.port();
  }

  /// Refuses new requests from now on, with 503, and has every answer end its connection; those in
  /// flight go on. Returns at once. Safe to call twice.
  public void refuse() {
    routes.drain();
    server.drain(Duration.ZERO);
  }

  /// Refuses new calls, waits for those in flight at most 5 s, and stops. Safe to call twice.
  @Override
  public void close() {
    refuse();
    server.drain(CLOSE_PATIENCE);
    server.close();
    routes.close();
    for (AutoCloseable part : parts) {
      try {
        part.close();
      } catch (Exception e) {
        throw new IllegalStateException("closing the trigger failed", e);
      }
    }
  }
}
