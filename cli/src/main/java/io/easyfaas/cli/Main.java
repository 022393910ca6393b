package io.easyfaas.cli;

import io.easyfaas.common.config.ConfigException;
import io.easyfaas.common.http.HttpException;
import io.easyfaas.controller.runtime.RunnerException;
import io.easyfaas.funclet.cgroup.CgroupException;
import io.easyfaas.funclet.launch.LaunchException;
import io.easyfaas.stubs.store.StoreException;
import picocli.AutoComplete;
import picocli.CommandLine;

/// Entry point of `easyfaas`.
public final class Main {
  private Main() {}

  /// Runs one command and exits with its status, see {@link ExitStatus}.
  public static void main(String[] args) {
    CommandLine line = commandLine();
    int status = line.execute(args);
    line.getOut().flush();
    line.getErr().flush();
    System.exit(status);
  }

  /// The whole command tree.
  static CommandLine commandLine() {
    CommandLine line = new CommandLine(new EasyfaasCommand());
    for (ServiceCommand service : ServiceCommand.all()) {
      line.addSubcommand(service.name(), service.spec());
    }
    line.addSubcommand("generate-completion", new AutoComplete.GenerateCompletion());
    line.setExecutionStrategy(new CommandLine.RunLast());
    line.setExecutionExceptionHandler((failure, command, _) -> report(failure, command));
    return line;
  }

  /// Failures a user can cause are one line; anything else is a bug and shows where it happened.
  private static int report(Exception failure, CommandLine command) {
    String message = failure.getMessage();
    switch (failure) {
      case ConfigException _ -> {
        command.getErr().println("easyfaas: " + message);
        return ExitStatus.USAGE;
      }
      case EngineException _,
          HttpException _,
          CgroupException _,
          LaunchException _,
          RunnerException _,
          StoreException _ ->
          command.getErr().println("easyfaas: " + message);
      default -> failure.printStackTrace(command.getErr());
    }
    return ExitStatus.ENGINE_FAILED;
  }
}
