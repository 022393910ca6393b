package io.easyfaas.cli;

import io.easyfaas.common.budget.MemoryPlan;
import io.easyfaas.common.config.Option;
import io.easyfaas.common.config.Settings;
import io.easyfaas.common.http.EventLoops;
import io.easyfaas.controller.Controller;
import io.easyfaas.controller.ControllerConfig;
import io.easyfaas.funclet.Funclet;
import io.easyfaas.funclet.FuncletConfig;
import io.easyfaas.httptrigger.HttpTrigger;
import io.easyfaas.httptrigger.HttpTriggerConfig;
import io.easyfaas.runnerruntime.RunnerRuntime;
import io.easyfaas.stubs.Stubs;
import io.easyfaas.stubs.StubsConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The whole engine in one JVM: the same objects that the separate processes build, composed.
///
/// The controller reaches funclet and the registry through method calls instead of sockets, and so
/// does the HTTP trigger the controller; everything else is as between processes. Every setting of
/// every part can be given under its own key; the three ports have names of their own.
final class Engine implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Engine.class);

  // Set by the composition itself: the parts find each other without being told.
  private static final Set<String> COMPOSED =
      Set.of("port", "repository-endpoint", "controller-endpoint", "funclet-api-sock");

  private final Parts parts = new Parts();
  private @Nullable Controller controller;
  private @Nullable HttpTrigger trigger;
  private int controllerPort;
  private int registryPort;
  private int triggerPort;

  private Engine() {}

  /// Every setting of the engine.
  static List<Option> options() {
    Map<String, Option> options = new LinkedHashMap<>();
    add(options, new Option("port", "port", "8001", "TCP port of the controller's HTTP API."));
    add(options, new Option("registry-port", "port", "8002", "TCP port of the function registry."));
    add(options, new Option("trigger-port", "port", "8003", "TCP port of the HTTP trigger."));
    for (List<Option> part :
        List.of(
            FuncletConfig.options(),
            ControllerConfig.options(),
            StubsConfig.options(),
            HttpTriggerConfig.options())) {
      part.stream()
          .filter(option -> !COMPOSED.contains(option.key()))
          .forEach(option -> add(options, option));
    }
    return List.copyOf(options.values());
  }

  /// Lays out the runtimes and starts every part. When one fails to start, those already running
  /// are stopped before the failure is thrown.
  ///
  /// @throws io.easyfaas.common.config.ConfigException when a setting cannot be used
  static Engine start(List<String> args, Map<String, String> environment) {
    Settings settings = Settings.parse(options(), args, environment);
    Engine engine = new Engine();
    try {
      engine.startParts(settings, environment);
      return engine;
    } catch (RuntimeException e) {
      engine.close();
      throw e;
    }
  }

  private void startParts(Settings settings, Map<String, String> environment) {
    // Every setting is looked at before anything is done.
    StubsConfig stubsConfig =
        StubsConfig.parse(
            args(settings, StubsConfig.options(), "port", settings.text("registry-port")),
            Map.of());
    FuncletConfig funcletConfig =
        FuncletConfig.parse(args(settings, FuncletConfig.options()), environment);
    ControllerConfig controllerConfig =
        ControllerConfig.parse(
            args(settings, ControllerConfig.options(), "port", settings.text("port")), Map.of());
    HttpTriggerConfig triggerConfig =
        HttpTriggerConfig.parse(
            args(settings, HttpTriggerConfig.options(), "port", settings.text("trigger-port")),
            Map.of());
    int eventLoops = settings.integer("event-loops", 1, 64);

    RunnerRuntime.prepare(settings.path("data-dir"));
    EventLoops loops = parts.add(EventLoops.planned(eventLoops, MemoryPlan.ofThisProcess()));
    Stubs stubs = parts.add(Stubs.start(stubsConfig, loops));
    registryPort = stubs.port();
    Funclet funclet = parts.add(Funclet.start(funcletConfig, loops));
    Controller started =
        parts.add(
            Controller.start(controllerConfig, funclet, new LocalRegistry(stubs.routes()), loops));
    controller = started;
    controllerPort = started.port();
    stubs.onChange(started::invalidate);
    HttpTrigger front = parts.add(HttpTrigger.start(triggerConfig, loops, started.invoker()));
    trigger = front;
    triggerPort = front.port();
    LOG.info(
        "ready: controller http://127.0.0.1:{}, registry http://127.0.0.1:{}, trigger"
            + " http://127.0.0.1:{}",
        controllerPort,
        registryPort,
        triggerPort);
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

  /// The arguments of one part: its own keys from the engine's settings, and what the composition
  /// decides.
  private static List<String> args(Settings settings, List<Option> options, String... composed) {
    List<String> args = new ArrayList<>();
    for (Option option : options) {
      if (!COMPOSED.contains(option.key())) {
        args.add(option.flag() + "=" + settings.text(option.key()));
      }
    }
    for (int i = 0; i < composed.length; i += 2) {
      args.add("--" + composed[i] + "=" + composed[i + 1]);
    }
    return args;
  }

  private static void add(Map<String, Option> options, Option option) {
    options.putIfAbsent(option.key(), option);
  }
}
