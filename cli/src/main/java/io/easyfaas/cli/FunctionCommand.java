package io.easyfaas.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// `easyfaas function …`: administers functions in the registry.
@Command(
    name = "function",
    description = "Create, update, list and delete functions.",
    subcommands = {
      FunctionCreateCommand.class,
      FunctionUpdateCommand.class,
      FunctionGetCommand.class,
      FunctionListCommand.class,
      FunctionDeleteCommand.class,
      FunctionPublishCommand.class,
    })
final class FunctionCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "Missing subcommand");
  }
}
