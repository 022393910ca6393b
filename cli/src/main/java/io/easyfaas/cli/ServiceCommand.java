package io.easyfaas.cli;

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
import io.easyfaas.stubs.Stubs;
import io.easyfaas.stubs.StubsConfig;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/// A subcommand that runs one part of the engine in the foreground until it is told to stop. Its
/// flags are the part's settings, so they are declared once, in the part's configuration record.
final class ServiceCommand implements Callable<Integer> {
  private static final Logger LOG = LoggerFactory.getLogger(ServiceCommand.class);

  /// Starts a part from `--key=value` arguments and the environment.
  @FunctionalInterface
  interface Starter {
    /// Starts the part; closing the result stops it.
    AutoCloseable start(List<String> args, Map<String, String> environment);
  }

  private final String name;
  private final CommandSpec spec;
  private final List<Option> options;
  private final Starter starter;

  private ServiceCommand(String name, String description, List<Option> options, Starter starter) {
    this.name = name;
    this.options = options;
    this.starter = starter;
    this.spec = CommandSpec.wrapWithoutInspection(this).name(name);
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
  }

  /// Every part that can run alone, and `up`, which is all of them.
  static List<ServiceCommand> all() {
    return List.of(
        new ServiceCommand(
            "up",
            "Run the whole engine in the foreground until Ctrl-C.",
            Engine.options(),
            Engine::start),
        new ServiceCommand(
            "controller",
            "Run the controller: the HTTP API and the scheduler.",
            ControllerConfig.options(),
            ServiceCommand::startController),
        new ServiceCommand(
            "funclet",
            "Run funclet: the privileged daemon that owns the sandboxes.",
            FuncletConfig.options(),
            (args, env) -> Funclet.start(FuncletConfig.parse(args, env))),
        new ServiceCommand(
            "stubs",
            "Run the local function registry.",
            StubsConfig.OPTIONS,
            ServiceCommand::startStubs));
  }

  /// The controller alone, with the connections it needs; closed in reverse order.
  private static AutoCloseable startController(List<String> args, Map<String, String> environment) {
    ControllerConfig config = ControllerConfig.parse(args, environment);
    Parts parts = new Parts();
    try {
      EventLoops loops = parts.add(new EventLoops(config.eventLoops()));
      HttpClient funclet =
          parts.add(new HttpClient(new HttpAddress.Unix(config.funcletSocket()), loops));
      parts.add(Controller.start(config, new HttpFunclet(funclet), loops));
      return parts;
    } catch (RuntimeException e) {
      parts.close();
      throw e;
    }
  }

  private static AutoCloseable startStubs(List<String> args, Map<String, String> environment) {
    StubsConfig config = StubsConfig.of(Settings.parse(StubsConfig.OPTIONS, args, environment));
    Parts parts = new Parts();
    try {
      EventLoops loops = parts.add(new EventLoops(1));
      parts.add(new Stubs(config, loops)).start();
      return parts;
    } catch (RuntimeException e) {
      parts.close();
      throw e;
    }
  }

  String name() {
    return name;
  }

  CommandSpec spec() {
    return spec;
  }

  @Override
  public Integer call() throws InterruptedException {
    List<String> args =
        options.stream()
            .filter(option -> spec.commandLine().getParseResult().hasMatchedOption(option.flag()))
            .map(option ->
                option.flag()
                    + "="
                    + spec.commandLine().getParseResult().matchedOptionValue(option.flag(), ""))
            .toList();
    AutoCloseable service = starter.start(args, System.getenv());
    CountDownLatch forEver = new CountDownLatch(1);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(service), "stop"));
    forEver.await();
    return ExitStatus.OK;
  }

  private void stop(AutoCloseable service) {
    LOG.info("{} is stopping", name);
    try {
      service.close();
    } catch (Exception e) {
      LOG.error("{} did not stop cleanly", name, e);
    }
  }
}
