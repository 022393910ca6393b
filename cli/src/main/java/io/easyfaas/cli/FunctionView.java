package io.easyfaas.cli;

import io.easyfaas.common.function.FunctionConfiguration;
import java.util.List;
import java.util.Objects;

/// How functions are shown to people.
final class FunctionView {
  private FunctionView() {}

  /// One line a function.
  static String table(List<FunctionConfiguration> functions) {
    Table table =
        new Table("NAME", "VERSION", "RUNTIME", "HANDLER", "MEMORY", "TIMEOUT", "CONCURRENCY");
    for (FunctionConfiguration function : functions) {
      table.row(
          function.functionName(),
          function.versionOrDefault(),
          Objects.toString(function.runtime(), "-"),
          function.handler(),
          function.memoryMebibytesOrDefault() + "MiB",
          function.timeoutSecondsOrDefault() + "s",
          String.valueOf(function.concurrencyPerSandbox()));
    }
    return table.toString();
  }
}
