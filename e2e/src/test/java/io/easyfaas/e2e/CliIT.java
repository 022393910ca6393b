package io.easyfaas.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// The command line, as a user and as a script see it.
@EndToEnd
final class CliIT {
  private static final int FUNCTION_FAILED = 1;
  private static final int USAGE = 2;
  private static final int ENGINE_FAILED = 3;
  private static final Duration LOGGED = Duration.ofSeconds(20);

  @RegisterExtension private static final Leaks LEAKS = new Leaks();
  private static EngineProcess engine;

  @TempDir private Path work;

  @BeforeAll
  static void start() {
    engine = LEAKS.start("--container-num=2");
  }

  @Test
  void codeFromADirectory() throws IOException {
    Path code = Files.createDirectory(work.resolve("code"));
    Files.createDirectory(code.resolve("lib"));
    Files.writeString(code.resolve("lib/words.js"), "exports.word = 'from a directory';");
    Files.writeString(
        code.resolve("index.js"),
        "const { word } = require('./lib/words');\nexports.handler = async () => word;");

    Command.Result created = create("from-directory", code, "nodejs", "index.handler");
    Command.Result invoked = engine.cli("invoke", "from-directory");

    assertThat(created.out()).contains(EngineProcess.brn("from-directory", "$LATEST"));
    assertThat(invoked.status()).isZero();
    assertThat(invoked.out()).isEqualTo("from a directory\n");
  }

  @Test
  void codeFromASingleFile() throws IOException {
    Path file =
        Files.writeString(
            work.resolve("greet.py"),
            """
            import os

            def handler(event, context):
                return f"{os.environ['GREETING']}, {event['name']}!"
            """);

    Command.Result _ =
        create(
            "from-file",
            file,
            "python3",
            "greet.handler",
            "--env",
            "GREETING=Hi",
            "--concurrency",
            "10",
            "--memory",
            "128M",
            "--timeout",
            "7");
    Command.Result invoked = engine.cli("invoke", "from-file", "-d", "{\"name\":\"Grace\"}");

    assertThat(invoked.out()).isEqualTo("Hi, Grace!\n");
    JsonNode configuration =
        engine.cli("function", "get", "from-file", "--output", "json").json().get("Configuration");
    assertThat(configuration.get("Timeout").asInt()).isEqualTo(7);
    assertThat(configuration.get("PodConcurrentQuota").asInt()).isEqualTo(10);
  }

  @Test
  void codeFromAZip() throws IOException {
    Path zip = work.resolve("code.zip");
    Files.write(
        zip, new Zip().file("index.js", "exports.handler = async () => 'from a zip';").bytes());

    Command.Result _ = create("from-zip", zip, "nodejs", "index.handler");

    assertThat(engine.cli("invoke", "from-zip").out()).isEqualTo("from a zip\n");
  }

  @Test
  void theEventComesFromTheCommandLineAFileOrStandardInput() throws IOException {
    engine.create(FunctionSpec.node("echo", "exports.handler = async (event) => event;"));
    Path file = Files.writeString(work.resolve("event.json"), "{\"from\":\"file\"}");

    assertThat(engine.cli("invoke", "echo", "-d", "{\"from\":\"line\"}").out())
        .isEqualTo("{\"from\":\"line\"}\n");
    assertThat(engine.cli("invoke", "echo", "--file", file.toString()).out())
        .isEqualTo("{\"from\":\"file\"}\n");
    assertThat(
            Command.run(
                    Installation.command(List.of("invoke", "echo", "--file", "-")),
                    engine.home().environment(),
                    "{\"from\":\"input\"}")
                .out())
        .isEqualTo("{\"from\":\"input\"}\n");
    assertThat(engine.cli("invoke", "echo").out()).isEqualTo("{}\n");
  }

  @Test
  void theTailGoesToStandardError() {
    engine.create(
        FunctionSpec.node("talks", "exports.handler = async () => { console.log('a word'); };"));

    Command.Result result = engine.cli("invoke", "talks", "--tail");

    assertThat(result.out()).isEqualTo("null\n");
    assertThat(result.err()).contains("START RequestID: ").contains("a word");
  }

  @Test
  void aFunctionThatFailsIsStatusOne() {
    engine.create(
        FunctionSpec.node("fails", "exports.handler = async () => { throw new Error('no'); };"));

    Command.Result text = engine.cli("invoke", "fails");
    Command.Result json = engine.cli("invoke", "fails", "--output", "json", "--tail");

    assertThat(text.status()).isEqualTo(FUNCTION_FAILED);
    assertThat(text.out()).contains("\"errorMessage\":\"no\"");
    assertThat(json.status()).isEqualTo(FUNCTION_FAILED);
    assertThat(json.json().get("Failed").asBoolean()).isTrue();
    assertThat(json.json().get("RequestId").asString()).isNotBlank();
    assertThat(json.json().get("Payload").asString()).contains("errorMessage");
    assertThat(json.json().get("Log").asString()).contains("START");
  }

  @Test
  void aWrongCommandLineIsStatusTwo() {
    assertUsage("no-such-command");
    assertUsage("function");
    assertUsage("invoke");
    assertUsage("invoke", "echo", "--no-such-flag");
    assertUsage("invoke", "not a name");
    assertUsage("function", "create", "x", "--code", "/no/such/file");
    assertUsage("function", "create", "x", "--memory", "lots");
    assertUsage("function", "update", "x");
    assertUsage("invoke", "x", "--file", "/no/such/file");
    assertUsage("function", "list", "--output", "xml");
  }

  @Test
  void anEngineThatRefusesOrCannotBeReachedIsStatusThree() {
    Command.Result unknown = engine.cli("invoke", "nobody");
    Command.Result away =
        engine.cli("function", "list", "--registry", "http://127.0.0.1:" + closedPort());

    assertThat(unknown.status()).isEqualTo(ENGINE_FAILED);
    assertThat(unknown.err()).startsWith("easyfaas: ").contains("404").doesNotContain("\tat ");
    assertThat(away.status()).isEqualTo(ENGINE_FAILED);
    assertThat(away.err()).startsWith("easyfaas: ").contains("127.0.0.1").doesNotContain("\tat ");
  }

  @Test
  void anAnswerThatCannotBeWrittenIsStatusThree() {
    Command.Result lost = shell("\"$@\" >/dev/full", "function", "list");
    Command.Result enough = shell("\"$@\" | true; exit ${PIPESTATUS[0]}", "function", "list");

    assertThat(lost.status()).isEqualTo(ENGINE_FAILED);
    assertThat(lost.err())
        .isEqualTo("easyfaas: the answer could not be written: No space left on device\n");
    assertThat(enough.status()).describedAs("%s", enough).isZero();
    assertThat(enough.err()).isEmpty();
  }

  @Test
  void theUserLogIsKeptWhenItIsAskedFor() throws IOException {
    Path code =
        Files.writeString(
            work.resolve("index.js"), "exports.handler = async () => { console.log('kept'); };");
    Command.Result _ = create("logged", code, "nodejs", "index.handler", "--user-log");
    Command.Result _ = engine.cli("invoke", "logged");
    Path log =
        engine
            .home()
            .dataDirectory()
            .resolve("logs")
            .resolve(EngineProcess.brn("logged", "$LATEST"))
            .resolve("output.log");

    Eventually.isTrue("it is written", LOGGED, () -> text(log).contains("\tkept\n"));
    Command.Result _ = engine.cli("function", "update", "logged", "--no-user-log");
    Command.Result _ = engine.cli("invoke", "logged");
    assertThat(text(log)).containsOnlyOnce("\tkept\n");
  }

  @Test
  void anUpdateCountsFromTheNextCallOn() throws IOException {
    Path file = Files.writeString(work.resolve("index.js"), "exports.handler = async () => 'old';");
    Command.Result _ = create("changes", file, "nodejs", "index.handler");
    assertThat(engine.cli("invoke", "changes").out()).isEqualTo("old\n");
    Files.writeString(file, "exports.handler = async () => 'new ' + process.env.WORD;");

    Command.Result updated =
        engine.cli(
            "function", "update", "changes", "--code", file.toString(), "--env", "WORD=word");

    assertThat(updated.status()).describedAs("%s", updated).isZero();
    assertThat(engine.cli("invoke", "changes").out()).isEqualTo("new word\n");
  }

  @Test
  void anUpdateLeavesWhatItDoesNotName() {
    engine.create(
        FunctionSpec.node("partly", "exports.handler = async () => process.env.WORD;")
            .withTimeout(9)
            .withVariables(Map.of("WORD", "kept")));

    Command.Result updated =
        engine.cli("function", "update", "partly", "--memory", "256M", "--output", "json");

    assertThat(updated.json().at("/Configuration/MemorySize").asInt()).isEqualTo(256);
    assertThat(updated.json().at("/Configuration/Timeout").asInt()).isEqualTo(9);
    assertThat(engine.cli("invoke", "partly").out()).isEqualTo("kept\n");
  }

  @Test
  void aPublishedVersionStaysAsItIs() {
    engine.create(FunctionSpec.node("frozen", "exports.handler = async () => 'one';"));
    Command.Result first = engine.cli("function", "publish", "frozen", "--output", "json");
    engine.create(FunctionSpec.node("frozen", "exports.handler = async () => 'two';"));
    Command.Result second = engine.cli("function", "publish", "frozen");

    assertThat(first.json().get("Version").asString()).isEqualTo("1");
    assertThat(second.out()).contains(EngineProcess.brn("frozen", "2"));
    assertThat(engine.cli("invoke", "frozen:1").out()).isEqualTo("one\n");
    assertThat(engine.cli("invoke", "frozen:2").out()).isEqualTo("two\n");
    assertThat(engine.cli("invoke", EngineProcess.brn("frozen", "1")).out()).isEqualTo("one\n");
    assertThat(engine.cli("invoke", "frozen").out()).isEqualTo("two\n");
  }

  @Test
  void functionsAreListedAndDeleted() {
    engine.create(FunctionSpec.node("listed", "exports.handler = async () => 1;"));

    JsonNode before = engine.cli("function", "list", "--output", "json").json();
    Command.Result table = engine.cli("function", "list");
    Command.Result deleted = engine.cli("function", "delete", "listed");
    JsonNode after = engine.cli("function", "list", "--output", "json").json();

    assertThat(before.findValuesAsString("FunctionName")).contains("listed");
    assertThat(table.out()).startsWith("NAME").contains("listed");
    assertThat(deleted.status()).isZero();
    assertThat(after.findValuesAsString("FunctionName")).doesNotContain("listed");
    assertThat(engine.cli("invoke", "listed").status()).isEqualTo(ENGINE_FAILED);
    assertThat(engine.cli("function", "get", "listed").status()).isEqualTo(ENGINE_FAILED);
    assertThat(engine.cli("function", "delete", "listed").status()).isEqualTo(ENGINE_FAILED);
  }

  @Test
  void containersAreShown() {
    engine.create(FunctionSpec.node("warm", "exports.handler = async () => 1;"));
    assertThat(engine.call("warm", "{}")).isEqualTo("1");

    Command.Result table = engine.cli("containers");
    JsonNode json = engine.cli("containers", "--output", "json").json();

    assertThat(table.out()).startsWith("CONTAINER").contains("warm");
    assertThat(json.size()).isEqualTo(2);
    assertThat(json.values()).extracting(slot -> slot.get("State").asString()).contains("warm");
  }

  @Test
  void theDoctorSaysWhatThisMachineHas() {
    Command.Result table = engine.cli("doctor");
    Command.Result json = engine.cli("doctor", "--output", "json");

    assertThat(table.status()).describedAs("%s", table).isZero();
    assertThat(table.out()).startsWith("FEATURE").contains("root");
    assertThat(json.json().size()).isGreaterThan(5);
    assertThat(json.json().values())
        .allSatisfy(finding -> {
          assertThat(finding.get("Feature").asString()).isNotBlank();
          assertThat(finding.get("Present").isBoolean()).isTrue();
          assertThat(finding.get("Required").isBoolean()).isTrue();
          assertThat(finding.get("LostWithout").asString()).isNotBlank();
        });
  }

  @Test
  void theDoctorFailsWhereFunctionsCannotRun() {
    List<String> command =
        new java.util.ArrayList<>(List.of("setpriv", "--bounding-set=-sys_admin", "--"));
    command.addAll(Installation.command(List.of("doctor")));

    Command.Result result = Command.run(command, engine.home().environment());

    assertThat(result.status()).isEqualTo(ENGINE_FAILED);
    assertThat(result.out()).contains("NO").contains("functions cannot run");
  }

  @Test
  void theCompletionScriptIsBash() throws IOException {
    Command.Result script = engine.cli("generate-completion");
    Path file = Files.writeString(work.resolve("completion.bash"), script.out());

    Command.Result checked =
        Command.run(List.of("/bin/bash", "-n", file.toString()), engine.home().environment());

    assertThat(script.status()).isZero();
    assertThat(script.out()).contains("complete ").contains("invoke");
    assertThat(checked.status()).describedAs("%s", checked).isZero();
  }

  @Test
  void everyCommandExplainsItself() {
    for (List<String> command :
        List.of(
            List.of("--help"),
            List.of("up", "--help"),
            List.of("function", "--help"),
            List.of("function", "create", "--help"),
            List.of("invoke", "--help"))) {
      Command.Result help = engine.cli(command.toArray(String[]::new));

      assertThat(help.status()).describedAs("%s", command).isZero();
      assertThat(help.out()).describedAs("%s", command).containsIgnoringCase("usage: easyfaas");
    }
    assertThat(engine.cli("--version").out()).startsWith("easyfaas ");
  }

  @Test
  void theDemoRunsTheExamplesAndLeavesNothing() {
    Command.Result demo = engine.cli("demo", "--output", "json");

    assertThat(demo.status()).describedAs("%s", demo).isZero();
    assertThat(demo.json().values())
        .hasSizeGreaterThanOrEqualTo(2)
        .extracting(outcome -> outcome.get("Runtime").asString())
        .contains("nodejs", "python3");
    assertThat(demo.json().values())
        .allSatisfy(outcome -> {
          assertThat(outcome.get("ColdMillis").asDouble()).isPositive();
          assertThat(outcome.get("WarmMillis").asDouble()).isPositive();
        });
  }

  private static Command.Result create(
      String name, Path code, String runtime, String handler, String... more) {
    List<String> arguments =
        new java.util.ArrayList<>(
            List.of(
                "function",
                "create",
                name,
                "--code",
                code.toString(),
                "--runtime",
                runtime,
                "--handler",
                handler));
    arguments.addAll(List.of(more));
    Command.Result result = engine.cli(arguments.toArray(String[]::new));
    assertThat(result.status()).describedAs("%s", result).isZero();
    return result;
  }

  private static void assertUsage(String... arguments) {
    Command.Result result = engine.cli(arguments);

    assertThat(result.status()).describedAs("%s: %s", List.of(arguments), result).isEqualTo(USAGE);
    assertThat(result.err()).isNotBlank().doesNotContain("\tat ");
  }

  private static String text(Path file) {
    try {
      return Files.exists(file) ? Files.readString(file) : "";
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Command.Result shell(String script, String... arguments) {
    List<String> command = new ArrayList<>(List.of("bash", "-c", script, "bash"));
    command.addAll(Installation.command(List.of(arguments)));
    return Command.run(command, engine.home().environment());
  }

  private static int closedPort() {
    try (java.net.ServerSocket socket = new java.net.ServerSocket(0)) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
