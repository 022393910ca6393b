package io.easyfaas.controller;

import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.http.EventLoops;
import io.easyfaas.common.http.HttpClient;
import io.easyfaas.common.http.HttpServer;
import io.easyfaas.common.invoke.Invoker;
import io.easyfaas.common.wire.FuncletApi;
import io.easyfaas.controller.admin.AdminApi;
import io.easyfaas.controller.admin.AdminFront;
import io.easyfaas.controller.admin.MetricsPage;
import io.easyfaas.controller.admin.TrafficMetrics;
import io.easyfaas.controller.call.InvokeFront;
import io.easyfaas.controller.engine.EngineInvoker;
import io.easyfaas.controller.engine.InvokeMetrics;
import io.easyfaas.controller.engine.LooseLog;
import io.easyfaas.controller.pool.PoolClock;
import io.easyfaas.controller.pool.PoolLimits;
import io.easyfaas.controller.registry.FunctionCache;
import io.easyfaas.controller.registry.HttpRegistry;
import io.easyfaas.controller.registry.RegistryClient;
import io.easyfaas.controller.runtime.FlushQueues;
import io.easyfaas.controller.runtime.SlotChannels;
import io.easyfaas.controller.userlog.UserLog;
import io.easyfaas.controller.warden.Sweeper;
import io.easyfaas.controller.warden.Warden;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;

/// A running controller: the public API, the slots behind it, and what keeps them. Thread-safe.
public final class Controller implements AutoCloseable {
  private static final Duration FUNCLET_WAIT = Duration.ofSeconds(60);
  private static final Duration LOAD_WAIT = Duration.ofSeconds(10);
  private static final Duration PATIENCE = Duration.ofSeconds(1);
  private static final Duration CLOSE_PATIENCE = Duration.ofSeconds(5);
  private static final Duration LAST_WORDS_PATIENCE = Duration.ofSeconds(1);
  private static final Duration CLOSE_POLL = Duration.ofMillis(20);

  private final HttpServer server;
  private final EngineInvoker invoker;
  private final Warden warden;
  private final FunctionCache functions;
  private final List<AutoCloseable> parts;

  private Controller(
      HttpServer server,
      EngineInvoker invoker,
      Warden warden,
      FunctionCache functions,
      List<AutoCloseable> parts) {
    this.server = server;
    this.invoker = invoker;
    this.warden = warden;
    this.functions = functions;
    this.parts = parts;
  }

  /// Starts a controller whose registry is reached over HTTP. Blocks until funclet answers, at most
  /// 60 s; until then clients are told that it is starting.
  ///
  /// @param loops run the invoke path; they stay the caller's to close, after the controller
  /// @throws RuntimeException when the port is taken or funclet does not answer; nothing is left
  ///   running then
  public static Controller start(ControllerConfig config, FuncletApi funclet, EventLoops loops) {
    HttpClient client =
        new HttpClient(config.repository().endpoint(), loops, HttpRegistry.MAX_DOCUMENT_BYTES);
    List<AutoCloseable> parts = new ArrayList<>(List.of(client));
    HttpRegistry registry =
        new HttpRegistry(client, config.repository().version(), config.slots().maxQueueWait());
    return start(config, funclet, registry, loops, parts);
  }

  /// As {@link #start(ControllerConfig, FuncletApi, EventLoops)}, with a registry of this JVM.
  public static Controller start(
      ControllerConfig config, FuncletApi funclet, RegistryClient registry, EventLoops loops) {
    return start(config, funclet, registry, loops, new ArrayList<>());
  }

  private static Controller start(
      ControllerConfig config,
      FuncletApi funclet,
      RegistryClient registry,
      EventLoops loops,
      List<AutoCloseable> parts) {
    PoolClock clock = new PoolClock(System::nanoTime, InstantSource.system());
    Controller controller = start(config, funclet, registry, loops, clock, parts);
    controller.parts.addFirst(Sweeper.start(controller.warden));
    return controller;
  }

  /// Starts a controller with a registry and clocks of the caller's. Nobody looks at it once a
  /// second, see {@link Warden#sweep}.
  static Controller start(
      ControllerConfig config,
      FuncletApi funclet,
      RegistryClient registry,
      EventLoops loops,
      PoolClock clock,
      List<AutoCloseable> parts) {
    try {
      FlushQueues flushes = new FlushQueues(loops);
      ControllerConfig.Slots slots = config.slots();
      SlotChannels channels =
          SlotChannels.listen(config.channels(), flushes, clock.nanoTime(), clock.wall()::millis);
      parts.addFirst(channels);
      ControllerConfig.UserLogs logs = config.userLog();
      UserLog userLog = new UserLog(logs.root(), logs.format(), logs.limits());
      parts.addLast(userLog);
      FunctionCache functions =
          new FunctionCache(
              registry, config.functions().limits(slots.maxQueueWait()), clock.nanoTime());
      InvokeFront front = new InvokeFront(loops);
      parts.addFirst(front);
      AdminFront admin = new AdminFront();
      HttpServer server =
          HttpServer.start(
              config.listen(), loops, (int) config.maxBody().bytes(), admin, front::handler);
      parts.addFirst(server);
      Warden warden =
          Warden.start(
              funclet,
              channels,
              (function, id) -> new LooseLog(userLog.open(function, id.value()), clock.wall()),
              new Warden.Waits(FUNCLET_WAIT, slots.aliveTimeout(), LOAD_WAIT),
              new PoolLimits(
                  slots.maxIdle(),
                  slots.maxQueue(),
                  slots.maxQueueBytes().bytes(),
                  slots.maxQueueWait(),
                  PATIENCE,
                  slots.freezeAfter(),
                  slots.maxPrewarmed()),
              clock);
      int behindHttp = parts.indexOf(front) + 1;
      parts.add(behindHttp, warden);
      InvokeMetrics metrics = new InvokeMetrics();
      EngineInvoker invoker =
          new EngineInvoker(
              new EngineInvoker.Rules(
                  config.checksCaller(), config.repository().authTransfer(), slots.maxQueueWait()),
              functions,
              warden.pool(),
              userLog,
              metrics,
              loops,
              clock.nanoTime(),
              clock.wall());
      parts.add(behindHttp, invoker);
      front.open(invoker);
      admin.open(
          new AdminApi(
              warden,
              new MetricsPage(
                  metrics,
                  warden.pool(),
                  functions,
                  userLog,
                  new TrafficMetrics(loops.budget(), loops.connections()),
                  clock.nanoTime()),
              slots.aliveTimeout()));
      return new Controller(server, invoker, warden, functions, parts);
    } catch (RuntimeException | Error e) {
      closeAll(parts, e);
      throw e;
    }
  }

  /// The TCP port of the public API.
  public int port() {
    return server.port();
  }

  /// The door to this Pod's functions, for what calls them from within the process.
  public Invoker invoker() {
    return invoker;
  }

  /// Has the next call of a function ask the registry, whatever version it names.
  public void invalidate(FunctionBrn brn) {
    functions.invalidate(brn);
  }

  /// What keeps the slots, for tests that move time on by themselves.
  Warden warden() {
    return warden;
  }

  /// Refuses new calls from now on, with 503, and those that wait for the registry, and has every
  /// answer end its connection; calls in flight go on. Returns at once. Safe to call twice.
  public void refuse() {
    warden.pool().close();
    server.drain(Duration.ZERO);
    invoker.close();
  }

  /// Refuses new calls and waits until those in flight are answered, at most 5 s; those that take
  /// longer are told 503. Safe to call twice.
  public void drain() {
    refuse();
    awaitCalls(System.nanoTime() + CLOSE_PATIENCE.toNanos());
    warden.close();
    server.drain(LAST_WORDS_PATIENCE);
  }

  /// Stops, after a {@link #drain}. Safe to call twice.
  @Override
  public void close() {
    drain();
    RuntimeException failures = new IllegalStateException("closing the controller failed");
    closeAll(parts, failures);
    if (failures.getSuppressed().length > 0) {
      throw failures;
    }
  }

  private void awaitCalls(long deadline) {
    while (warden.pool().inFlight() > 0 && System.nanoTime() < deadline) {
      try {
        Thread.sleep(CLOSE_POLL);
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  private static void closeAll(List<AutoCloseable> parts, Throwable failures) {
    for (AutoCloseable part : parts) {
      try {
        part.close();
      } catch (Throwable e) { // Whatever fails, the rest is closed.
        failures.addSuppressed(e);
      }
    }
  }
}
