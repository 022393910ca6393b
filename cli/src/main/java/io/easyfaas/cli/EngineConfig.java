package io.easyfaas.cli;

import io.easyfaas.common.config.Option;
import io.easyfaas.common.config.Settings;
import io.easyfaas.controller.ControllerConfig;
import io.easyfaas.funclet.FuncletConfig;
import io.easyfaas.httptrigger.HttpTriggerConfig;
import io.easyfaas.stubs.StubsConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The configuration of a whole engine in one process. Every setting of every part can be given
/// under its own key; what more than one part has, such as a directory, is one setting for all of
/// them, but for ports and for the registry's address.
///
/// @param funclet of funclet
/// @param controller of the controller
/// @param stubs of the registry
/// @param trigger of the HTTP trigger
/// @param eventLoops threads that all of them share
record EngineConfig(
    FuncletConfig funclet,
    ControllerConfig controller,
    StubsConfig stubs,
    HttpTriggerConfig trigger,
    int eventLoops) {
  // Set by the composition itself: the parts find each other without being told.
  private static final Set<String> COMPOSED =
      Set.of("port", "repository-endpoint", "controller-endpoint", "funclet-api-sock");

  /// Every setting of the engine, with its default.
  static List<Option> options() {
    Map<String, Option> options = new LinkedHashMap<>();
    add(options, new Option("port", "port", "8001", "TCP port of the controller's HTTP API."));
    add(options, new Option("registry-port", "port", "8002", "TCP port of the function registry."));
    add(options, new Option("trigger-port", "port", "8003", "TCP port of the HTTP trigger."));
    add(
        options,
        new Option(
            "bind-address",
            "address",
            "127.0.0.1",
            "Address controller and HTTP trigger listen on."));
    // Whoever reaches the registry may change every function.
    add(
        options,
        new Option(
            "registry-bind-address",
            "address",
            "127.0.0.1",
            "Address the function registry listens on."));
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

  /// Reads the command line and the environment.
  ///
  /// @param args `--key value` or `--key=value`
  /// @param environment usually {@link System#getenv()}
  /// @throws io.easyfaas.common.config.ConfigException when a setting cannot be used
  static EngineConfig parse(List<String> args, Map<String, String> environment) {
    Settings settings = Settings.parse(options(), args, environment);
    return new EngineConfig(
        FuncletConfig.parse(args(settings, FuncletConfig.options(), Map.of()), environment),
        ControllerConfig.parse(
            args(settings, ControllerConfig.options(), Map.of("port", "port")), Map.of()),
        StubsConfig.parse(
            args(
                settings,
                StubsConfig.options(),
                Map.of("port", "registry-port", "bind-address", "registry-bind-address")),
            Map.of()),
        HttpTriggerConfig.parse(
            args(settings, HttpTriggerConfig.options(), Map.of("port", "trigger-port")), Map.of()),
        settings.integer("event-loops", 1, 64));
  }

  /// The arguments of one part.
  ///
  /// @param names what a key of the part is called in the engine's settings, where it has another
  ///   name there
  private static List<String> args(
      Settings settings, List<Option> options, Map<String, String> names) {
    List<String> args = new ArrayList<>();
    for (Option option : options) {
      String name = names.get(option.key());
      if (name != null || !COMPOSED.contains(option.key())) {
        args.add(option.flag() + "=" + settings.text(name == null ? option.key() : name));
      }
    }
    return args;
  }

  private static void add(Map<String, Option> options, Option option) {
    options.putIfAbsent(option.key(), option);
  }
}
