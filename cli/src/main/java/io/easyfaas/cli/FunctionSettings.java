package io.easyfaas.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNullElse;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.config.ConfigException;
import io.easyfaas.common.http.HttpBody;
import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.json.Json;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URLEncoder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// What can be set of a function, for `create` and `update` alike, and how it gets there.
final class FunctionSettings {
  // A server takes heads of 16 KiB.
  private static final int MAX_QUERY_CHARACTERS = 8 * 1024;

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

  @Option(
      names = "--user-log",
      negatable = true,
      description = "Whether the engine keeps what the function prints, below its data directory.")
  private @Nullable Boolean userLog;

  @Option(names = "--description", paramLabel = "<text>", description = "Free text.")
  private @Nullable String description;

  @Option(
      names = {"-q", "--quiet"},
      description = "Show no progress bar.")
  private boolean quiet;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  /// Sends what was given to the registry: as JSON, or with code as a zip, or in the JSON where the
  /// settings are long. Code is read from its file while it is sent.
  ///
  /// @throws ConfigException when a value has the wrong form, or nothing is there to pack
  HttpResponse send(EngineOptions engine, String method, String path) {
    Map<String, Object> document = document();
    if (code == null) {
      return engine.askRegistry(HttpRequest.of(method, path, Json.PASCAL.write(document)));
    }
    try (CodePackage zip = CodePackage.of(code);
        InputStream content = content(zip)) {
      String query = query(document);
      return engine.askRegistry(
          query.length() <= MAX_QUERY_CHARACTERS
              ? HttpRequest.of(method, path + query, new HttpBody.Stream(content, zip.size()))
                  .withHeader("Content-Type", "application/zip")
              : HttpRequest.of(method, path, CodeDocument.of(document, content, zip.size())));
    } catch (IOException e) {
      throw new UncheckedIOException("read " + code, e);
    }
  }

  /// Whether anything was given.
  boolean isEmpty() {
    return code == null && document().isEmpty();
  }

  private InputStream content(CodePackage zip) throws IOException {
    InputStream file = Files.newInputStream(zip.file());
    return quiet || !Progress.isWatched()
        ? file
        : new Progress(file, zip.size(), command.commandLine().getErr(), System::nanoTime);
  }

  /// The document as a query, see docs/registry.md.
  private static String query(Map<String, Object> document) {
    StringJoiner query = new StringJoiner("&", "?", "").setEmptyValue("");
    document.forEach((name, value) -> {
      if (value instanceof Map<?, ?> environment
          && environment.get("Variables") instanceof Map<?, ?> variables) {
        variables.forEach((key, text) -> query.add(name + "=" + encode(key + "=" + text)));
      } else {
        query.add(name + "=" + encode(value.toString()));
      }
    });
    return query.toString();
  }

  private static String encode(String text) {
    return URLEncoder.encode(text, UTF_8);
  }

  private Map<String, Object> document() {
    Map<String, Object> document = new LinkedHashMap<>();
    put(document, "Description", description);
    put(document, "Runtime", runtime);
    put(document, "Handler", handler);
    put(document, "MemorySize", memory == null ? null : mebibytes(memory));
    put(document, "Timeout", timeout);
    put(document, "PodConcurrentQuota", concurrency);
    put(document, "LogType", userLog == null ? null : userLog ? "file" : "none");
    if (!environment.isEmpty()) {
      document.put("Environment", Map.of("Variables", variables()));
    }
    return document;
  }

  private static long mebibytes(String text) {
    try {
      ByteSize size = ByteSize.parse(text);
      if (size.mebibytes() > 0 && size.equals(ByteSize.ofMebibytes(size.mebibytes()))) {
        return size.mebibytes();
      }
    } catch (ConfigException _) {
      // Falls through to the one message for both.
    }
    throw new ConfigException(
        "--memory: \"" + text + "\" (expected: whole mebibytes, for example 128MiB)");
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
