package io.easyfaas.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.JsonNode;

/// An engine in a process of its own, and the ways to talk to it. Thread-safe.
final class EngineProcess implements AutoCloseable {
  /// The account that owns what is created without saying whose it is.
  static final String ACCOUNT = "df391b08c64c426a81645468c75163a5";

  /// The account as BRNs spell it.
  static final String ACCOUNT_HASH = "8f6e5a28c663957ea04522547a66d08f";

  private static final String ACCOUNT_HEADER = "X-easyfaas-Account-Id";
  private static final Duration START_DEADLINE = Duration.ofSeconds(60);
  private static final Duration STOP_DEADLINE = Duration.ofSeconds(30);
  private static final Duration CALL_DEADLINE = Duration.ofSeconds(60);

  private final EngineHome home;
  private final Process process;
  private final HttpClient http;

  private EngineProcess(EngineHome home, Process process) {
    this.home = home;
    this.process = process;
    this.http =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(5))
            .build();
  }

  /// Runs a command that becomes an engine, and has it watched.
  static EngineProcess launch(EngineHome home, ProcessBuilder command) {
    try {
      EngineProcess engine = new EngineProcess(home, command.redirectErrorStream(true).start());
      home.leaks().watch(engine);
      return engine;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  EngineHome home() {
    return home;
  }

  long pid() {
    return process.pid();
  }

  ProcessHandle handle() {
    return process.toHandle();
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /// The launcher: the engine's only child.
  ProcessHandle launcher() {
    return Eventually.value(
        "the engine has a launcher",
        Duration.ofSeconds(10),
        () -> handle().children().filter(EngineProcess::serves).findAny());
  }

  /// Waits until the three ports answer.
  void awaitReady() {
    for (int port : List.of(home.port(), home.registryPort(), home.triggerPort())) {
      awaitHealthy(port);
    }
    home.leaks().ready(this);
  }

  /// Waits until one port answers.
  void awaitHealthy(int port) {
    await(port, "/healthz");
  }

  /// Waits until the part behind one port takes calls.
  void awaitServing(int port) {
    await(port, "/readyz");
  }

  private void await(int port, String page) {
    URI uri = URI.create("http://127.0.0.1:" + port + page);
    Eventually.isTrue("GET " + uri + " answers", START_DEADLINE, () -> isHealthy(uri));
  }

  /// Whether it is the launcher that makes sandboxes, not one that only looks at the machine.
  private static boolean serves(ProcessHandle launcher) {
    return launcher.info().arguments().map(Arrays::asList).orElse(List.of()).contains("serve");
  }

  /// SIGTERM, then waits for the end. Safe to call twice.
  @Override
  public void close() {
    if (process.isAlive()) {
      terminate();
      try {
        int _ = awaitEnd(STOP_DEADLINE);
      } finally {
        process.destroyForcibly();
      }
    }
    http.shutdownNow();
  }

  /// Asks it to end and returns at once.
  void terminate() {
    home.leaks().observe(this);
    process.destroy();
  }

  /// SIGKILL, then waits until the process is gone. What it left may still be there.
  void kill9() {
    home.leaks().observe(this);
    process.destroyForcibly();
    int _ = awaitEnd(STOP_DEADLINE);
    http.shutdownNow();
  }

  /// Sends a signal by name, for example `STOP`, unless the process has ended.
  void signal(String name) {
    home.leaks().observe(this);
    Command.Result sent =
        Command.run(
            List.of("/bin/sh", "-c", "kill -$1 $2 || ! kill -0 $2", "sh", name, "" + pid()),
            Map.of());
    assertThat(sent.status()).describedAs("%s", sent).isZero();
  }

  /// Waits for the end.
  ///
  /// @return the exit status
  int awaitEnd(Duration deadline) {
    try {
      assertThat(process.waitFor(deadline.toMillis(), TimeUnit.MILLISECONDS))
          .describedAs("the engine ends within %s; its log:\n%s", deadline, log())
          .isTrue();
      return process.exitValue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  /// The log of all engines of this home.
  String log() {
    try {
      return Files.readString(home.log());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  // Ports.

  /// A request to the controller.
  HttpRequest.Builder controller(String path) {
    return request(home.port(), path);
  }

  /// A request to the function registry.
  HttpRequest.Builder registry(String path) {
    return request(home.registryPort(), path);
  }

  /// A request to the HTTP trigger.
  HttpRequest.Builder trigger(String path) {
    return request(home.triggerPort(), path);
  }

  /// Sends a request and waits for its answer.
  Answer send(HttpRequest.Builder request) {
    try {
      return new Answer(http.send(request.build(), BodyHandlers.ofByteArray()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  /// Sends a request.
  CompletableFuture<Answer> sendAsync(HttpRequest.Builder request) {
    return http.sendAsync(request.build(), BodyHandlers.ofByteArray()).thenApply(Answer::new);
  }

  // What users do.

  /// Stores a function; the registry must take it.
  ///
  /// @return its name
  String create(FunctionSpec function) {
    Answer answer = tryCreate(function);
    assertThat(answer.status())
        .describedAs("create %s: %s", function.name(), answer)
        .isEqualTo(200);
    return function.name();
  }

  /// Tries to store a function.
  Answer tryCreate(FunctionSpec function) {
    return tryCreate(function.name(), function.document());
  }

  /// Tries to store a function with any document.
  Answer tryCreate(String name, String document) {
    return tryCreate(ACCOUNT, name, document);
  }

  /// Tries to store a function for another account.
  Answer tryCreate(String account, FunctionSpec function) {
    return tryCreate(account, function.name(), function.document());
  }

  private Answer tryCreate(String account, String name, String document) {
    return send(
        registry("/v1/functions/" + name)
            .header(ACCOUNT_HEADER, account)
            .POST(BodyPublishers.ofString(document)));
  }

  /// Calls `$LATEST` of a function.
  ///
  /// @param headers names and values
  Answer invoke(String function, String event, String... headers) {
    return send(invocation(function, event, headers));
  }

  /// Calls a function and does not wait.
  CompletableFuture<Answer> invokeAsync(String function, String event, String... headers) {
    return sendAsync(invocation(function, event, headers));
  }

  /// Calls a function that must succeed.
  ///
  /// @return its answer's body
  String call(String function, String event) {
    Answer answer = invoke(function, event);
    assertThat(answer.status()).describedAs("call %s: %s", function, answer).isEqualTo(200);
    assertThat(answer.isFailed()).describedAs("call %s: %s", function, answer).isFalse();
    return answer.text();
  }

  /// The slots: what `GET /v1/runtimes` says.
  List<JsonNode> slots() {
    return List.copyOf(send(controller("/v1/runtimes").GET()).json().values());
  }

  /// Runs `easyfaas ARGUMENTS` against this engine.
  Command.Result cli(String... arguments) {
    return Command.run(Installation.command(List.of(arguments)), home.environment());
  }

  /// The full name of a function.
  static String brn(String name, String qualifier) {
    return "brn:cloud:faas:bj:" + ACCOUNT_HASH + ":function:" + name + ":" + qualifier;
  }

  private HttpRequest.Builder invocation(String function, String event, String... headers) {
    HttpRequest.Builder request =
        controller("/v1/functions/" + function + "/invocations?Qualifier=$LATEST")
            .header(ACCOUNT_HEADER, ACCOUNT)
            .POST(BodyPublishers.ofString(event));
    return headers.length == 0 ? request : request.headers(headers);
  }

  private static HttpRequest.Builder request(int port, String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
        .timeout(CALL_DEADLINE);
  }

  private boolean isHealthy(URI health) {
    assertThat(process.isAlive()).describedAs("the engine runs; its log:\n%s", log()).isTrue();
    try {
      return http.send(HttpRequest.newBuilder(health).build(), BodyHandlers.discarding())
              .statusCode()
          == 200;
    } catch (IOException _) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  @Override
  public String toString() {
    return "engine " + pid() + " in " + home.directory();
  }
}
