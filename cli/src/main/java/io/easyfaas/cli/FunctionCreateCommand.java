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

/// `easyfaas function create`.
@Command(name = "create", description = "Store a function, or replace the one of that name.")
final class FunctionCreateCommand implements Callable<Integer> {
  @Mixin private EngineOptions engine = new EngineOptions();
  @Mixin private FunctionSettings settings = new FunctionSettings();
  @Mixin private OutputOption output = new OutputOption();
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "<name>", description = "The function's name.")
  private String name = "";

  @Override
  public Integer call() {
    FunctionBrn brn = engine.function(name, Qualifier.LATEST);
    String path = "/v1/functions/" + brn;
    settings.send(engine, "POST", path);
    if (output.isJson()) {
      spec.commandLine().getOut().println(engine.askRegistry(HttpRequest.of("GET", path)).text());
    } else {
      spec.commandLine().getOut().println("created " + brn);
    }
    return ExitStatus.OK;
  }
}
