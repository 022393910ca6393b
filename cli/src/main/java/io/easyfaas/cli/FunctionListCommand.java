package io.easyfaas.cli;

import io.easyfaas.common.function.FunctionConfiguration;
import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.json.Json;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// `easyfaas function list`.
@Command(name = "list", description = "List the account's functions.")
final class FunctionListCommand implements Callable<Integer> {
  /// The registry's answer.
  ///
  /// @param functions sorted by name
  record Functions(List<FunctionConfiguration> functions) {}

  @Mixin private EngineOptions engine = new EngineOptions();
  @Mixin private OutputOption output = new OutputOption();
  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    HttpResponse response = engine.askRegistry(HttpRequest.of("GET", "/v1/functions"));
    if (output.isJson()) {
      spec.commandLine().getOut().println(response.text());
    } else {
      Functions functions = Json.PASCAL.read(response.body(), Functions.class);
      spec.commandLine().getOut().print(FunctionView.table(functions.functions()));
    }
    return ExitStatus.OK;
  }
}
