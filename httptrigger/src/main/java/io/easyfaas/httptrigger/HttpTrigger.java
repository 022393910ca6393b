package io.easyfaas.httptrigger;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.easyfaas.common.http.EventLoops;
import io.easyfaas.common.http.HttpAddress;
import io.easyfaas.common.http.HttpClient;
import io.easyfaas.common.http.HttpException;
import io.easyfaas.common.http.HttpServer;
import io.easyfaas.httptrigger.route.TriggerRoutes;
import org.jspecify.annotations.Nullable;

/// The HTTP trigger as a service: a server, and a client of the controller. Thread-safe.
public final class HttpTrigger implements AutoCloseable {
  private final HttpTriggerConfig config;
  private final EventLoops loops;
  private final HttpClient controller;

  @GuardedBy("this")
  private @Nullable HttpServer server;

  /// Creates the service; nothing is opened yet.
  ///
  /// @param loops the process's event loops, which stay the caller's
  public HttpTrigger(HttpTriggerConfig config, EventLoops loops) {
    this.config = config;
    this.loops = loops;
    this.controller = new HttpClient(config.controller(), loops);
  }

  /// Listens. The controller need not be there yet.
  ///
  /// @throws HttpException when the address cannot be listened on
  /// @throws IllegalStateException when it was started before
  public synchronized void start() {
    if (server != null) {
      throw new IllegalStateException("the HTTP trigger was started before");
    }
    server =
        HttpServer.start(
            config.address(),
            loops,
            Math.toIntExact(config.maxBodySize().bytes()),
            new TriggerRoutes(controller, config.region(), config.timeout()));
  }

  /// Where it listens, with the port the system chose.
  ///
  /// @throws IllegalStateException when it is not started
  public synchronized HttpAddress address() {
    if (server == null) {
      throw new IllegalStateException("the HTTP trigger is not started");
    }
    return server.address();
  }

  /// Stops listening and closes the connections to the controller. Safe to call twice.
  @Override
  public synchronized void close() {
    if (server != null) {
      server.close();
    }
    controller.close();
  }
}
