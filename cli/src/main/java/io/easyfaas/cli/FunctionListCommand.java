package io.easyfaas.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNullElse;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.easyfaas.common.function.FunctionConfiguration;
import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.json.Json;
import java.net.URLEncoder;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
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
  /// @param nextMarker where the next page begins; absent or empty in the last one
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record Functions(List<FunctionConfiguration> functions, @Nullable String nextMarker) {}

  @Mixin private EngineOptions engine = new EngineOptions();
  @Mixin private OutputOption output = new OutputOption();
  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    List<FunctionConfiguration> functions = new ArrayList<>();
    Set<String> markers = new HashSet<>();
    String marker = "";
    do {
      String query = marker.isEmpty() ? "" : "?Marker=" + URLEncoder.encode(marker, UTF_8);
      HttpResponse response = engine.askRegistry(HttpRequest.of("GET", "/v1/functions" + query));
      Functions page = Json.PASCAL.read(response.body(), Functions.class);
      functions.addAll(page.functions());
      marker = requireNonNullElse(page.nextMarker(), "");
      if (!markers.add(marker)) {
        throw new EngineException(
            "the registry's list has no end: NextMarker \"" + marker + "\" came twice");
      }
    } while (!marker.isEmpty());
    spec.commandLine()
        .getOut()
        .print(
            output.isJson()
                ? new String(Json.PASCAL.write(new Functions(functions, null)), UTF_8) + "\n"
                : FunctionView.table(functions));
    return ExitStatus.OK;
  }
}
