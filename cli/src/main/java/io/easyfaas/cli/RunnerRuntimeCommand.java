package io.easyfaas.cli;

import io.easyfaas.common.json.Json;
import io.easyfaas.runnerruntime.Prepared;
import io.easyfaas.runnerruntime.RunnerRuntime;
import io.easyfaas.runnerruntime.RunnerRuntimeConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `easyfaas runner-runtime`: lays out root file system and language runtimes, and ends.
@Command(
    name = "runner-runtime",
    description = "Lay out the root file system and the language runtimes, and end.")
final class RunnerRuntimeCommand implements Callable<Integer> {
  @Option(
      names = "--data-dir",
      paramLabel = "<path>",
      description = "The engine's data directory (default: /var/faas).")
  private @Nullable String dataDirectory;

  @Option(
      names = "--rootfs-source",
      paramLabel = "<host-usr or path>",
      description = "host-usr, or a directory with a root file system; default: as the last time.")
  private @Nullable String rootfsSource;

  @Mixin private OutputOption output = new OutputOption();
  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    List<String> args = new ArrayList<>();
    if (dataDirectory != null) {
      args.add("--data-dir=" + dataDirectory);
    }
    if (rootfsSource != null) {
      args.add("--rootfs-source=" + rootfsSource);
    }
    RunnerRuntimeConfig config = RunnerRuntimeConfig.parse(args, System.getenv());
    Prepared prepared =
        RunnerRuntime.prepare(config.dataDirectory(), config.source(), System.getenv());
    if (output.isJson()) {
      spec.commandLine().getOut().println(Json.PASCAL.writeText(prepared));
    } else {
      Table table = new Table("RUNTIME", "PROGRAM", "ALSO KNOWN AS");
      prepared
          .runtimes()
          .forEach(runtime ->
              table.row(runtime.name(), runtime.bin(), String.join(" ", runtime.aliases())));
      spec.commandLine().getOut().print(table);
    }
    return ExitStatus.OK;
  }
}
