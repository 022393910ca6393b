package io.easyfaas.cli;

import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.brn.Qualifier;
import io.easyfaas.common.http.HttpRequest;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `easyfaas function delete`.
@Command(name = "delete", description = "Delete a function with all its versions, or one version.")
final class FunctionDeleteCommand implements Callable<Integer> {
  @Mixin private EngineOptions engine = new EngineOptions();
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "<name>", description = "The function's name, or name:version.")
  private String name = "";

  @Override
  public Integer call() {
    FunctionBrn brn = engine.function(name, new Qualifier.Absent());
    engine.askRegistry(HttpRequest.of("DELETE", "/v1/functions/" + brn));
    spec.commandLine().getOut().println("deleted " + brn);
    return ExitStatus.OK;
  }
}
