package io.easyfaas.cli;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.wire.Resource;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// `easyfaas containers`: the slots and what runs in them.
@Command(name = "containers", description = "Show the sandboxes and what runs in them.")
final class ContainersCommand implements Callable<Integer> {
  /// What is shown of one slot.
  ///
  /// @param runtimeId the container id
  /// @param state for example `warm`
  /// @param resource what is reserved for it
  /// @param concurrency calls in flight
  /// @param commitId the function revision it holds, empty when cold
  record Slot(
      @JsonProperty("RuntimeID") String runtimeId,
      String state,
      @Nullable Resource resource,
      long concurrency,
      @JsonProperty("CommitID") @Nullable String commitId) {}

  @Mixin private EngineOptions engine = new EngineOptions();
  @Mixin private OutputOption output = new OutputOption();
  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    HttpResponse response = engine.askController(HttpRequest.of("GET", "/v1/runtimes"));
    if (output.isJson()) {
      spec.commandLine().getOut().println(response.text());
      return ExitStatus.OK;
    }
    Table table = new Table("CONTAINER", "STATE", "IN FLIGHT", "MEMORY", "REVISION");
    for (Slot slot : Json.PASCAL.readList(response.body(), Slot.class)) {
      table.row(
          slot.runtimeId(),
          slot.state(),
          String.valueOf(slot.concurrency()),
          slot.resource() == null ? "-" : new ByteSize(slot.resource().memory()).toString(),
          slot.commitId() == null || slot.commitId().isEmpty() ? "-" : slot.commitId());
    }
    spec.commandLine().getOut().print(table);
    return ExitStatus.OK;
  }
}
