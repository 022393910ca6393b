package io.easyfaas.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/// The root of the command tree.
@Command(
    name = "easyfaas",
    description = "A light function-compute engine that needs nothing but the Linux kernel.",
    version = "easyfaas 0.1.0",
    mixinStandardHelpOptions = true,
    scope = ScopeType.INHERIT,
    subcommands = {
      DemoCommand.class,
      FunctionCommand.class,
      InvokeCommand.class,
      ContainersCommand.class,
      DoctorCommand.class,
      RunnerRuntimeCommand.class,
    })
final class EasyfaasCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "Missing command");
  }
}
