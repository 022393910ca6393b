package io.easyfaas.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.brn.Account;
import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.brn.Qualifier;
import io.easyfaas.common.disk.DiskTree;
import io.easyfaas.common.http.EventLoops;
import io.easyfaas.common.http.HttpAddress;
import io.easyfaas.common.http.HttpClient;
import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.wire.Headers;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// `easyfaas demo`: a whole engine in temporary directories and on free ports, the examples
/// deployed and called, everything removed. Shows a newcomer that the machine can run functions.
@Command(
    name = "demo",
    description = "Start an engine, deploy the examples, call each cold and warm, stop.")
final class DemoCommand implements Callable<Integer> {
  // In which the engine starts a runner for the next function, as it has between real ones.
  private static final Duration STANDBY_TIME = Duration.ofMillis(300);
  private static final int WARM_CALLS = 100;
  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  private record Example(
      String name, String runtime, String handler, String file, String event, String expected) {}

  /// What one example did.
  ///
  /// @param example its name
  /// @param runtime its language
  /// @param coldMillis the first call
  /// @param warmMillis the median of the calls after it
  /// @param answer the body of the last call
  record Outcome(
      String example, String runtime, double coldMillis, double warmMillis, String answer) {}

  private static final List<Example> EXAMPLES =
      List.of(
          new Example("hello-node", "nodejs", "index.handler", "index.js", "{}", "Hello world!"),
          new Example(
              "echo-node",
              "nodejs",
              "index.handler",
              "index.js",
              "{\"n\":1}",
              "{\"echo\":{\"n\":1}"),
          new Example("hello-python", "python3", "index.handler", "index.py", "{}", "Hello world!"),
          new Example(
              "greeter-python",
              "python3",
              "greeter.greet",
              "greeter.py",
              "{\"name\":\"Ada\"}",
              "Hello, Ada!"));

  @Mixin private OutputOption output = new OutputOption();
  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    try (Foreground<Engine> demo = Foreground.start("demo", DemoCommand::startEngine)) {
      print(callAll(demo.running()));
    }
    return ExitStatus.OK;
  }

  private static Engine startEngine(Parts parts) {
    Path directory = temporaryDirectory();
    parts.add(() -> delete(directory));
    return parts.add(
        Engine.start(
            List.of(
                "--port=0",
                "--registry-port=0",
                "--trigger-port=0",
                "--container-num=" + (EXAMPLES.size() + 1), // One for a runner that stands by.
                "--runner-memory=64MiB", // So that it runs where there is little memory.
                "--data-dir=" + directory.resolve("data"),
                "--run-dir=" + directory.resolve("run")),
            Map.of("EASYFAAS_LAUNCHER", System.getenv().getOrDefault("EASYFAAS_LAUNCHER", ""))));
  }

  private void print(List<Outcome> outcomes) {
    if (output.isJson()) {
      spec.commandLine().getOut().println(Json.PASCAL.writeText(outcomes));
    } else {
      Table table = new Table("FUNCTION", "RUNTIME", "COLD", "WARM", "ANSWER");
      for (Outcome outcome : outcomes) {
        table.row(
            outcome.example(),
            outcome.runtime(),
            String.format(Locale.ROOT, "%.1f ms", outcome.coldMillis()),
            String.format(Locale.ROOT, "%.2f ms", outcome.warmMillis()),
            outcome.answer());
      }
      spec.commandLine().getOut().print(table);
      spec.commandLine()
          .getOut()
          .println(
              "cold: first call of the function, which from the second function of a language on finds"
                  + " a started runner; warm: median of "
                  + WARM_CALLS
                  + " calls, one after another");
    }
  }

  private static List<Outcome> callAll(Engine engine) {
    try (EventLoops loops = new EventLoops(1);
        HttpClient registry = client(engine.registryPort(), loops);
        HttpClient controller = client(engine.controllerPort(), loops)) {
      List<Outcome> outcomes = new ArrayList<>();
      for (Example example : EXAMPLES) {
        FunctionBrn brn = FunctionBrn.of(Account.DEFAULT, example.name(), Qualifier.LATEST);
        deploy(registry, example, brn);
        double[] warm = new double[WARM_CALLS];
        double cold = invoke(controller, example, brn).millis();
        String answer = "";
        for (int i = 0; i < WARM_CALLS; i++) {
          Call call = invoke(controller, example, brn);
          warm[i] = call.millis();
          answer = call.answer();
        }
        Arrays.sort(warm);
        outcomes.add(
            new Outcome(example.name(), example.runtime(), cold, warm[WARM_CALLS / 2], answer));
        LockSupport.parkNanos(STANDBY_TIME.toNanos());
      }
      return outcomes;
    }
  }

  private static HttpClient client(int port, EventLoops loops) {
    return new HttpClient(new HttpAddress.Tcp("127.0.0.1", port), loops);
  }

  private static void deploy(HttpClient registry, Example example, FunctionBrn brn) {
    Map<String, Object> function =
        Map.of(
            "Runtime", example.runtime(),
            "Handler", example.handler(),
            "Code", Base64.getEncoder().encodeToString(zip(example)));
    HttpResponse response =
        registry.send(
            HttpRequest.of("POST", "/v1/functions/" + brn, Json.PASCAL.write(function)), TIMEOUT);
    if (response.status() != 200) {
      throw new EngineException("deploy " + example.name() + ": " + response.text());
    }
  }

  private record Call(double millis, String answer) {}

  private static Call invoke(HttpClient controller, Example example, FunctionBrn brn) {
    HttpRequest request =
        HttpRequest.of(
                "POST", "/v1/functions/" + brn + "/invocations", example.event().getBytes(UTF_8))
            .withHeader(Headers.ACCOUNT_ID, Account.DEFAULT.id());
    long start = System.nanoTime();
    HttpResponse response = controller.send(request, TIMEOUT);
    double millis = (System.nanoTime() - start) / 1e6;
    if (response.status() != 200
        || response.header(Headers.FUNCTION_ERROR).isPresent()
        || !response.text().contains(example.expected())) {
      throw new EngineException(
          "call " + example.name() + ": " + response.status() + " " + response.text());
    }
    return new Call(millis, response.text());
  }

  private static byte[] zip(Example example) {
    String resource = "/examples/" + example.name() + "/" + example.file();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (InputStream source = DemoCommand.class.getResourceAsStream(resource);
        ZipOutputStream zip = new ZipOutputStream(bytes)) {
      if (source == null) {
        throw new EngineException("the example " + resource + " is missing from this build");
      }
      zip.putNextEntry(new ZipEntry(example.file()));
      source.transferTo(zip);
      zip.closeEntry();
    } catch (IOException e) {
      throw new UncheckedIOException("pack " + resource, e);
    }
    return bytes.toByteArray();
  }

  private static Path temporaryDirectory() {
    try {
      return Files.createTempDirectory("easyfaas-demo-");
    } catch (IOException e) {
      throw new UncheckedIOException("make a temporary directory", e);
    }
  }

  private static void delete(Path directory) {
    try {
      DiskTree.delete(directory);
    } catch (IOException e) {
      throw new UncheckedIOException("remove " + directory, e);
    }
  }
}
