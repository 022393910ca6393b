package io.easyfaas.cli;

import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.brn.Qualifier;
import io.easyfaas.common.config.ConfigException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `easyfaas function update`.
@Command(name = "update", description = "Change a function; what is not named stays as it is.")
final class FunctionUpdateCommand implements Callable<Integer> {
  @Mixin private EngineOptions engine = new EngineOptions();
  @Mixin private FunctionSettings settings = new FunctionSettings();
  @Mixin private OutputOption output = new OutputOption();
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "<name>", description = "The function's name.")
  private String name = "";

  @Override
  public Integer call() {
    if (settings.isEmpty()) {
      throw new ConfigException("update " + name + ": nothing to change (expected: a flag)");
    }
    FunctionBrn brn = engine.function(name, Qualifier.LATEST);
    String document = settings.send(engine, "PUT", "/v1/functions/" + brn).text();
    spec.commandLine().getOut().println(output.isJson() ? document : "updated " + brn);
    return ExitStatus.OK;
  }
}
