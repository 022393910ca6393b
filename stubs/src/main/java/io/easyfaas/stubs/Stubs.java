package io.easyfaas.stubs;

import com.google.errorprone.annotations.concurrent.GuardedBy;
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
import org.jspecify.annotations.Nullable;

/// The local registry as a service: a store, its rules, and a server. Thread-safe.
public final class Stubs implements AutoCloseable {
  // What a request has besides the code: names, variables, tags, and white space.
  private static final int SETTINGS_BYTES = 1024 * 1024;

  private final StubsConfig config;
  private final EventLoops loops;
  private final List<Consumer<FunctionBrn>> listeners = new CopyOnWriteArrayList<>();

  @GuardedBy("this")
  private @Nullable FunctionStore store;

  @GuardedBy("this")
  private @Nullable HttpServer server;

  /// Creates the service; nothing is opened yet.
  ///
  /// @param loops the process's event loops, which stay the caller's
  public Stubs(StubsConfig config, EventLoops loops) {
    this.config = config;
    this.loops = loops;
  }

  /// Has a listener called with each revision that is changed or removed from now on, after the
  /// change is durable, on the thread of the request that made it.
  public void onChange(Consumer<FunctionBrn> listener) {
    listeners.add(listener);
  }

  /// Opens the function directory and listens.
  ///
  /// @throws StoreException when the directory cannot be used
  /// @throws HttpException when the address cannot be listened on
  /// @throws IllegalStateException when it was started before
  public synchronized void start() {
    if (store != null) {
      throw new IllegalStateException("the registry was started before");
    }
    FunctionStore opened = FunctionStore.open(config.functionDirectory());
    try {
      RuntimeCatalog runtimes = new RuntimeCatalog(config.runtimesDirectory());
      FunctionRegistry registry =
          new FunctionRegistry(
              opened, runtimes, config.maxCodeSize(), InstantSource.system(), this::changed);
      server =
          HttpServer.start(
              config.address(), loops, maxBodyBytes(), new FunctionRoutes(registry, runtimes));
      store = opened;
    } catch (RuntimeException e) {
      opened.close();
      throw e;
    }
  }

  /// Where it listens, with the port the system chose.
  ///
  /// @throws IllegalStateException when it is not started
  public synchronized HttpAddress address() {
    if (server == null) {
      throw new IllegalStateException("the registry is not started");
    }
    return server.address();
  }

  /// Stops listening and lets go of the directory. Safe to call twice.
  @Override
  public synchronized void close() {
    if (server != null) {
      server.close();
    }
    if (store != null) {
      store.close();
    }
  }

  private int maxBodyBytes() {
    long base64 = (config.maxCodeSize().bytes() + 2) / 3 * 4;
    return Math.toIntExact(base64 + SETTINGS_BYTES);
  }

  private void changed(FunctionBrn revision) {
    listeners.forEach(listener -> listener.accept(revision));
  }
}
