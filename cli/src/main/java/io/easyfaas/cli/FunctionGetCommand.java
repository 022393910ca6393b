package io.easyfaas.cli;

import io.easyfaas.common.brn.Qualifier;
import io.easyfaas.common.function.FunctionDocument;
import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.json.Json;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `easyfaas function get`.
@Command(name = "get", description = "Show one function.")
final class FunctionGetCommand implements Callable<Integer> {
  @Mixin private EngineOptions engine = new EngineOptions();
  @Mixin private OutputOption output = new OutputOption();
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "<name>", description = "The function's name, name:version or BRN.")
  private String name = "";

  @Override
  public Integer call() {
    HttpResponse response =
        engine.askRegistry(
            HttpRequest.of("GET", "/v1/functions/" + engine.function(name, Qualifier.LATEST)));
    if (output.isJson()) {
      spec.commandLine().getOut().println(response.text());
    } else {
      FunctionDocument function = Json.PASCAL.read(response.body(), FunctionDocument.class);
      spec.commandLine().getOut().print(FunctionView.table(List.of(function.configuration())));
    }
    return ExitStatus.OK;
  }
}
