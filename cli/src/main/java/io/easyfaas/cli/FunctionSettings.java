package io.easyfaas.cli;

import static java.util.Objects.requireNonNullElse;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.config.ConfigException;
import java.nio.file.Path;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// What can be set of a function, for `create` and `update` alike.
final class FunctionSettings {
  @Option(
      names = "--code",
      paramLabel = "<path>",
      description = "A directory, a single file, or a zip.")
  private @Nullable Path code;

  @Option(
      names = "--runtime",
      paramLabel = "<name>",
      description = "Language runtime, for example nodejs or python3.")
  private @Nullable String runtime;

  @Option(
      names = "--handler",
      paramLabel = "<module.function>",
      description = "Where calls go, for example index.handler.")
  private @Nullable String handler;

  @Option(
      names = "--memory",
      paramLabel = "<size>",
      description = "Memory limit, for example 128M.")
  private @Nullable String memory;

  @Option(
      names = "--timeout",
      paramLabel = "<seconds>",
      description = "Most time one call may take.")
  private @Nullable Integer timeout;

  @Option(
      names = "--concurrency",
      paramLabel = "<calls>",
      description = "Calls one sandbox may run at once; 0 means one.")
  private @Nullable Integer concurrency;

  @Option(
      names = {"-e", "--env"},
      paramLabel = "<name=value>",
      description = "An environment variable; may be repeated. Replaces all former ones.")
  private List<String> environment = List.of();

  @Option(names = "--description", paramLabel = "<text>", description = "Free text.")
  private @Nullable String description;

  /// The registry's request document with only what was given.
  ///
  /// @throws ConfigException when a value has the wrong form
  Map<String, Object> document() {
    Map<String, Object> document = new LinkedHashMap<>();
    put(document, "Description", description);
    put(document, "Runtime", runtime);
    put(document, "Handler", handler);
    put(document, "MemorySize", memory == null ? null : ByteSize.parse(memory).mebibytes());
    put(document, "Timeout", timeout);
    put(document, "PodConcurrentQuota", concurrency);
    if (!environment.isEmpty()) {
      document.put("Environment", Map.of("Variables", variables()));
    }
    if (code != null) {
      document.put("Code", Base64.getEncoder().encodeToString(CodePackage.of(code)));
    }
    return document;
  }

  private Map<String, String> variables() {
    Map<String, String> variables = new LinkedHashMap<>();
    for (String pair : requireNonNullElse(environment, List.<String>of())) {
      int equals = pair.indexOf('=');
      if (equals <= 0) {
        throw new ConfigException("--env: \"" + pair + "\" (expected: name=value)");
      }
      variables.put(pair.substring(0, equals), pair.substring(equals + 1));
    }
    return variables;
  }

  private static void put(Map<String, Object> document, String name, @Nullable Object value) {
    if (value != null) {
      document.put(name, value);
    }
  }
}
