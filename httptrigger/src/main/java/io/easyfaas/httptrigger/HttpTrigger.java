package io.easyfaas.httptrigger;

import io.easyfaas.common.http.EventLoops;
import io.easyfaas.common.http.HttpAddress;
import io.easyfaas.common.http.HttpClient;
import io.easyfaas.common.http.HttpException;
import io.easyfaas.common.http.HttpServer;
import io.easyfaas.httptrigger.route.TriggerRoutes;

/// The HTTP trigger as a service: a server, and a client of the controller. Thread-safe.
public final class HttpTrigger implements AutoCloseable {
  private final HttpClient controller;
  private final HttpServer server;

  private HttpTrigger(HttpClient controller, HttpServer server) {
    this.controller = controller;
    this.server = server;
  }

  /// Listens. The controller need not be there yet.
  ///
  /// @param loops the process's event loops, which stay the caller's
  /// @throws HttpException when the address cannot be listened on
  public static HttpTrigger start(HttpTriggerConfig config, EventLoops loops) {
    HttpClient controller = new HttpClient(config.controller(), loops);
    HttpServer server =
        HttpServer.start(
            config.address(),
            loops,
            Math.toIntExact(config.maxBodySize().bytes()),
            new TriggerRoutes(controller, config.region(), config.timeout()));
    return new HttpTrigger(controller, server);
  }

  /// Where it listens, with the port the system chose.
  public HttpAddress address() {
    return server.address();
  }

  /// The TCP port.
  public int port() {
    return server.port();
  }

  /// Stops listening and closes the connections to the controller. Safe to call twice.
  @Override
  public void close() {
    server.close();
    controller.close();
  }
}
