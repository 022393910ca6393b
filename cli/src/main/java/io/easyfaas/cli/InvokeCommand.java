package io.easyfaas.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.brn.Qualifier;
import io.easyfaas.common.config.ConfigException;
import io.easyfaas.common.disk.DiskFailure;
import io.easyfaas.common.http.HttpBody;
import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.wire.Headers;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `easyfaas invoke`: calls a function and prints its answer. Exits with 1 when the function
/// failed.
@Command(name = "invoke", description = "Call a function and print its answer.")
final class InvokeCommand implements Callable<Integer> {
  /// Where the event comes from; at most one.
  static final class Event {
    @Option(
        names = {"-d", "--data"},
        paramLabel = "<event>",
        description = "The event, usually JSON; @path reads a file, @- standard input.")
    private @Nullable String data;

    @Option(
        names = "--file",
        paramLabel = "<path>",
        description = "A file that holds the event; - reads standard input.")
    private @Nullable Path file;

    /// The event, read while it is sent.
    HttpBody body() {
      if (file != null) {
        return content("--file", file);
      }
      if (data == null) {
        return HttpBody.NONE;
      }
      return data.startsWith("@")
          ? content("--data", Path.of(data.substring(1)))
          : new HttpBody.Bytes(data.getBytes(UTF_8));
    }

    private static HttpBody content(String flag, Path file) {
      if (file.toString().equals("-")) {
        return new HttpBody.Stream(System.in, HttpBody.UNKNOWN);
      }
      try {
        // Something that is no file, such as a pipe, does not say how long it is.
        long length = Files.isRegularFile(file) ? Files.size(file) : HttpBody.UNKNOWN;
        return new HttpBody.Stream(Files.newInputStream(file), length);
      } catch (IOException e) {
        throw new ConfigException(flag + ": cannot read " + DiskFailure.text(e));
      }
    }
  }

  @Mixin private EngineOptions engine = new EngineOptions();
  @Mixin private OutputOption output = new OutputOption();
  @ArgGroup private Event event = new Event();
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "<name>", description = "The function's name, name:version or BRN.")
  private String name = "";

  @Option(names = "--tail", description = "Print the end of the call's log to standard error.")
  private boolean tail;

  @Override
  public Integer call() {
    FunctionBrn brn = engine.function(name, Qualifier.LATEST);
    HttpRequest request =
        HttpRequest.of("POST", "/v1/functions/" + brn + "/invocations", event.body());
    HttpResponse response =
        engine.askController(tail ? request.withHeader(Headers.LOG_TYPE, "Tail") : request);
    boolean failed = response.header(Headers.FUNCTION_ERROR).isPresent();
    String log =
        response
            .header(Headers.LOG_RESULT)
            .map(encoded -> new String(Base64.getDecoder().decode(encoded), UTF_8))
            .orElse("");
    if (output.isJson()) {
      spec.commandLine().getOut().println(Json.PASCAL.writeText(report(response, failed, log)));
    } else {
      if (!log.isEmpty()) {
        PrintWriter err = spec.commandLine().getErr();
        err.println(log);
        err.flush();
      }
      spec.commandLine().getOut().println(response.text());
    }
    return failed ? ExitStatus.FUNCTION_FAILED : ExitStatus.OK;
  }

  private static Map<String, Object> report(HttpResponse response, boolean failed, String log) {
    Map<String, Object> report = new LinkedHashMap<>();
    report.put("Failed", failed);
    response.header(Headers.REQUEST_ID).ifPresent(id -> report.put("RequestId", id));
    response
        .header(Headers.EXEC_TIME)
        .ifPresent(millis -> report.put("ExecTimeMillis", Double.parseDouble(millis)));
    report.put("Payload", response.text());
    if (!log.isEmpty()) {
      report.put("Log", log);
    }
    return report;
  }
}
