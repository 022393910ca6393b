package io.easyfaas.cli;

import io.easyfaas.common.budget.MemoryPlan;
import io.easyfaas.common.config.Option;
import io.easyfaas.common.config.Settings;
import io.easyfaas.common.http.EventLoops;
import io.easyfaas.common.http.HttpAddress;
import io.easyfaas.common.http.HttpClient;
import io.easyfaas.controller.Controller;
import io.easyfaas.controller.ControllerConfig;
import io.easyfaas.controller.funclet.HttpFunclet;
import io.easyfaas.funclet.Funclet;
import io.easyfaas.funclet.FuncletConfig;
import io.easyfaas.httptrigger.HttpTrigger;
import io.easyfaas.httptrigger.HttpTriggerConfig;
import io.easyfaas.stubs.Stubs;
import io.easyfaas.stubs.StubsConfig;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/// A subcommand that runs one part of the engine in the foreground until it is told to stop. Its
/// flags are the part's settings, so they are declared once, in the part's configuration record.
final class ServiceCommand {
  /// What asks a command about itself, which no part takes as a flag.
  private static final Set<String> HELP = Set.of("-h", "--help", "-V", "--version");

  private static final Logger LOG = LoggerFactory.getLogger(ServiceCommand.class);

  /// Starts a part and adds it, with all it needs, to those that are running.
  @FunctionalInterface
  private interface Starter {
    void start(List<String> args, Map<String, String> environment, Parts parts);
  }

  private final String name;
  private final String description;
  private final List<Option> options;
  private final Starter starter;

  private ServiceCommand(String name, String description, List<Option> options, Starter starter) {
    this.name = name;
    this.description = description;
    this.options = options;
    this.starter = starter;
  }

  /// The part a command line starts; empty when it asks for anything else, or for help.
  static Optional<ServiceCommand> of(String... args) {
    List<String> flags = List.of(args);
    if (HELP.stream().anyMatch(flags::contains)) {
      return Optional.empty();
    }
    return all().stream()
        .filter(part -> !flags.isEmpty() && part.name.equals(flags.getFirst()))
        .findFirst();
  }

  /// The command as the others see it, with its flags for their help and for completion.
  CommandSpec spec() {
    CommandSpec spec = CommandSpec.wrapWithoutInspection(this).name(name);
    spec.usageMessage().description(description).sortOptions(false);
    for (Option option : options) {
      boolean isFlag = option.kind().equals("flag");
      String byDefault =
          option.defaultValue().isEmpty() ? "" : " (default: " + option.defaultValue() + ")";
      spec.addOption(
          OptionSpec.builder(option.flag())
              .type(String.class)
              .arity(isFlag ? "0..1" : "1")
              .fallbackValue(isFlag ? "true" : "")
              .paramLabel("<" + option.kind() + ">")
              .description(option.description() + byDefault)
              .build());
    }
    return spec;
  }

  /// Every part that can run alone, and `up`, which is all of them.
  static List<ServiceCommand> all() {
    return List.of(
        new ServiceCommand(
            "up",
            "Run the whole engine in the foreground until Ctrl-C.",
            EngineConfig.options(),
            (args, environment, parts) -> parts.add(Engine.start(args, environment))),
        new ServiceCommand(
            "controller",
            "Run the controller: the HTTP API and the scheduler.",
            ControllerConfig.options(),
            ServiceCommand::startController),
        new ServiceCommand(
            "funclet",
            "Run funclet: the privileged daemon that owns the sandboxes.",
            FuncletConfig.options(),
            ServiceCommand::startFunclet),
        new ServiceCommand(
            "stubs",
            "Run the local function registry.",
            StubsConfig.options(),
            ServiceCommand::startStubs),
        new ServiceCommand(
            "httptrigger",
            "Run the HTTP trigger: URLs to functions.",
            HttpTriggerConfig.options(),
            ServiceCommand::startHttpTrigger));
  }

  private static void startController(
      List<String> args, Map<String, String> environment, Parts parts) {
    ControllerConfig config = ControllerConfig.parse(args, environment);
    EventLoops loops = parts.add(loops(config.eventLoops()));
    HttpClient funclet =
        parts.add(new HttpClient(new HttpAddress.Unix(config.funcletSocket()), loops));
    parts.add(Controller.start(config, new HttpFunclet(funclet), loops));
  }

  private static void startFunclet(
      List<String> args, Map<String, String> environment, Parts parts) {
    FuncletConfig config = FuncletConfig.parse(args, environment);
    parts.add(Funclet.start(config, parts.add(loops(1))));
  }

  private static void startStubs(List<String> args, Map<String, String> environment, Parts parts) {
    StubsConfig config = StubsConfig.parse(args, environment);
    parts.add(Stubs.start(config, parts.add(loops(1))));
  }

  private static void startHttpTrigger(
      List<String> args, Map<String, String> environment, Parts parts) {
    HttpTriggerConfig config = HttpTriggerConfig.parse(args, environment);
    parts.add(HttpTrigger.start(config, parts.add(loops(1))));
  }

  private static EventLoops loops(int count) {
    return EventLoops.planned(count, MemoryPlan.ofThisProcess());
  }

  String name() {
    return name;
  }

  /// The part's settings.
  List<Option> options() {
    return options;
  }

  @Override
  public String toString() {
    return name;
  }

  /// Runs the part in the foreground. Blocks until a signal ends the process.
  ///
  /// @param args its flags
  /// @throws RuntimeException when it cannot start; nothing is left running then
  int run(List<String> args) {
    LOG.info("{}: {}", name, Settings.parse(options, args, System.getenv()).effective());
    Foreground.start(
            name,
            parts -> {
              starter.start(args, System.getenv(), parts);
              return parts;
            })
        .awaitEnd();
    return ExitStatus.OK; // Never.
  }
}
