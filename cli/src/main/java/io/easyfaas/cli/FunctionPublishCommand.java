package io.easyfaas.cli;

import io.easyfaas.common.brn.Qualifier;
import io.easyfaas.common.function.FunctionConfiguration;
import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.json.Json;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `easyfaas function publish`.
@Command(
    name = "publish",
    description = "Freeze the function as it is now under the next version number.")
final class FunctionPublishCommand implements Callable<Integer> {
  @Mixin private EngineOptions engine = new EngineOptions();
  @Mixin private OutputOption output = new OutputOption();
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "<name>", description = "The function's name.")
  private String name = "";

  @Option(names = "--description", paramLabel = "<text>", description = "Text for this version.")
  private String description = "";

  @Override
  public Integer call() {
    String path = "/v1/functions/" + engine.function(name, new Qualifier.Absent()) + "/versions";
    Map<String, String> body =
        description.isEmpty() ? Map.of() : Map.of("Description", description);
    HttpResponse response =
        engine.askRegistry(HttpRequest.of("POST", path, Json.PASCAL.write(body)));
    if (output.isJson()) {
      spec.commandLine().getOut().println(response.text());
    } else {
      FunctionConfiguration published =
          Json.PASCAL.read(response.body(), FunctionConfiguration.class);
      spec.commandLine().getOut().println("published " + published.functionArn());
    }
    return ExitStatus.OK;
  }
}
