package io.easyfaas.cli;

import io.easyfaas.common.budget.MemoryPlan;
import io.easyfaas.common.http.EventLoops;
import io.easyfaas.controller.Controller;
import io.easyfaas.funclet.Funclet;
import io.easyfaas.httptrigger.HttpTrigger;
import io.easyfaas.runnerruntime.RunnerRuntime;
import io.easyfaas.stubs.Stubs;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The whole engine in one JVM: the same objects that the separate processes build, composed.
///
/// The controller reaches funclet and the registry through method calls instead of sockets, and so
/// does the HTTP trigger the controller; everything else is as between processes.
final class Engine implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Engine.class);

  private final Parts parts = new Parts();
  private @Nullable Controller controller;
  private @Nullable HttpTrigger trigger;
  private int controllerPort;
  private int registryPort;
  private int triggerPort;

  private Engine() {}

  /// Lays out the runtimes and starts every part. When one fails to start, by whatever, those
  /// already running are stopped before the failure is thrown.
  ///
  /// @throws io.easyfaas.common.config.ConfigException when a setting cannot be used
  static Engine start(List<String> args, Map<String, String> environment) {
    EngineConfig config = EngineConfig.parse(args, environment); // Before anything is done.
    Engine engine = new Engine();
    try {
      engine.startParts(config);
      return engine;
    } catch (RuntimeException | Error e) {
      engine.close();
      throw e;
    }
  }

  private void startParts(EngineConfig config) {
    RunnerRuntime.prepare(config.funclet().dataDir());
    EventLoops loops =
        parts.add(EventLoops.planned(config.eventLoops(), MemoryPlan.ofThisProcess()));
    Stubs stubs = parts.add(Stubs.start(config.stubs(), loops));
    registryPort = stubs.port();
    Funclet funclet = parts.add(Funclet.start(config.funclet(), loops));
    Controller started =
        parts.add(
            Controller.start(
                config.controller(), funclet, new LocalRegistry(stubs.routes()), loops));
    controller = started;
    controllerPort = started.port();
    stubs.onChange(started::invalidate);
    HttpTrigger front = parts.add(HttpTrigger.start(config.trigger(), loops, started.invoker()));
    trigger = front;
    triggerPort = front.port();
    LOG.info(
        "ready: controller {}, registry {}, trigger {}",
        config.controller().listen().withPort(controllerPort),
        config.stubs().address().withPort(registryPort),
        config.trigger().address().withPort(triggerPort));
  }

  /// TCP port of the controller.
  int controllerPort() {
    return controllerPort;
  }

  /// TCP port of the registry.
  int registryPort() {
    return registryPort;
  }

  /// TCP port of the HTTP trigger.
  int triggerPort() {
    return triggerPort;
  }

  /// Refuses new calls, lets those in flight end, and stops the parts, last started first. Safe to
  /// call twice.
  @Override
  public void close() {
    HttpTrigger front = trigger;
    if (front != null) {
      front.refuse();
    }
    Controller started = controller;
    if (started != null) {
      started.drain(); // Before the trigger ends: its calls are among those that are waited for.
    }
    parts.close();
  }
}
