package io.easyfaas.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.config.ConfigException;
import io.easyfaas.common.http.EventLoops;
import io.easyfaas.common.http.HttpAddress;
import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.http.HttpServer;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.wire.ErrorDocument;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/// Runs whole command lines against one server that plays controller and registry.
class CommandLineTest {
  private final List<HttpRequest> requests = new CopyOnWriteArrayList<>();
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private volatile HttpResponse answer = HttpResponse.empty(200);
  private EventLoops loops;
  private HttpServer server;

  @BeforeEach
  void startServer() {
    loops = new EventLoops(1);
    server =
        HttpServer.start(
            new HttpAddress.Tcp("127.0.0.1", 0),
            loops,
            1 << 20,
            request -> {
              requests.add(request);
              return answer;
            });
  }

  @AfterEach
  void stopServer() {
    server.close();
    loops.close();
  }

  @Test
  void printsTheAnswerOfACallAndItsLogToTheSide() {
    answer =
        HttpResponse.text(200, "Hello")
            .withHeader(
                "X-Bce-Log-Result", Base64.getEncoder().encodeToString("START".getBytes(UTF_8)));

    int status = run("invoke", "hello", "-d", "{}", "--tail");

    assertThat(status).isEqualTo(ExitStatus.OK);
    assertThat(out.toString()).isEqualTo("Hello\n");
    assertThat(err.toString()).isEqualTo("START\n");
    assertThat(requests.getFirst().header("Log-Type")).contains("Tail");
  }

  @Test
  void exitsWithOneWhenTheFunctionFailed() {
    answer =
        HttpResponse.text(200, "{\"errorMessage\":\"boom\"}")
            .withHeader("X-Easyfaas-Function-Error", "Unhandled");

    assertThat(run("invoke", "hello")).isEqualTo(ExitStatus.FUNCTION_FAILED);
    assertThat(out.toString()).contains("boom");
  }

  @Test
  void explainsWhatTheEngineRefused() {
    answer =
        HttpResponse.error(
            new ApiException(ErrorCode.RESOURCE_NOT_FOUND, "not found function hello"));

    assertThat(run("function", "get", "hello")).isEqualTo(ExitStatus.ENGINE_FAILED);
    assertThat(err.toString())
        .isEqualTo(
            "easyfaas: The resource specified in the request does not exist:"
                + " not found function hello (404)\n");
  }

  @Test
  void explainsWhatTheRegistryRefusedTheController() {
    ApiException missing = new ApiException(ErrorCode.RESOURCE_NOT_FOUND, "not found function x");
    answer =
        HttpResponse.json(
            404,
            Json.PASCAL.write(
                ErrorDocument.of(
                    ErrorCode.RESOURCE_NOT_FOUND,
                    "",
                    List.of("look up failed", Json.PASCAL.writeText(missing.document())))));

    assertThat(run("invoke", "x")).isEqualTo(ExitStatus.ENGINE_FAILED);
    assertThat(err.toString())
        .isEqualTo(
            "easyfaas: The resource specified in the request does not exist: look up failed:"
                + " not found function x (404)\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a b", "a\nb", "ü"})
  void refusesAnAccountThatIsNone(String account) {
    for (String command : List.of("invoke", "containers")) {
      List<String> args = new ArrayList<>(List.of(command, "--account=" + account));
      args.addAll(command.equals("invoke") ? List.of("hello") : List.of());

      assertThat(run(args.toArray(String[]::new))).isEqualTo(ExitStatus.USAGE);
      assertThat(err.toString()).startsWith("easyfaas: --account: \"" + account + "\" (expected: ");
    }
    assertThat(requests).isEmpty();
  }

  @Test
  void saysWhichAddressDoesNotAnswer() {
    server.close();

    assertThat(run("function", "list")).isEqualTo(ExitStatus.ENGINE_FAILED);
    assertThat(err.toString())
        .isEqualTo(
            "easyfaas: connect to http://127.0.0.1:"
                + server.port()
                + ": nothing listens there. Hint: start an engine with \"easyfaas up\", or say with"
                + " --registry where it is\n");
  }

  @Test
  void refusesAnUnknownFlag() {
    assertThat(run("invoke", "hello", "--dta", "{}")).isEqualTo(ExitStatus.USAGE);
    assertThat(err.toString()).contains("--dta");
  }

  @ParameterizedTest
  @ValueSource(strings = {"lots", "128", "0M", "100K", "1025K"})
  void refusesABadMemorySizeBeforeAskingTheRegistry(String size) {
    assertThat(run("function", "update", "hello", "--memory", size)).isEqualTo(ExitStatus.USAGE);
    assertThat(err.toString())
        .isEqualTo(
            "easyfaas: --memory: \""
                + size
                + "\" (expected: whole mebibytes, for example 128MiB)\n");
    assertThat(requests).isEmpty();
  }

  @Test
  void turnsTheUserLogOnAndOff() {
    answer = HttpResponse.json(200, "{}".getBytes(UTF_8));

    assertThat(run("function", "update", "hello", "--user-log")).isEqualTo(ExitStatus.OK);
    assertThat(run("function", "update", "hello", "--no-user-log")).isEqualTo(ExitStatus.OK);

    assertThat(requests)
        .extracting(HttpRequest::text)
        .containsExactly("{\"LogType\":\"file\"}", "{\"LogType\":\"none\"}");
  }

  @Test
  void sendsOnlyWhatAnUpdateNames() {
    answer = HttpResponse.json(200, "{}".getBytes(UTF_8));

    assertThat(run("function", "update", "hello", "--memory", "256M", "-e", "A=1", "-e", "B=2=3"))
        .isEqualTo(ExitStatus.OK);
    assertThat(requests.getFirst().method()).isEqualTo("PUT");
    assertThat(requests.getFirst().text())
        .isEqualTo(
            "{\"MemorySize\":256,\"Environment\":{\"Variables\":{\"A\":\"1\",\"B\":\"2=3\"}}}");
  }

  @Test
  void sendsCodeAsItIsWithTheSettingsInTheQuery(@TempDir Path directory) throws IOException {
    answer = HttpResponse.json(200, "{}".getBytes(UTF_8));
    byte[] zip = {'P', 'K', 3, 4, (byte) 0xff};
    Path file = Files.write(directory.resolve("code.zip"), zip);

    int status =
        run(
            "function",
            "update",
            "hello",
            "--code",
            file.toString(),
            "--memory",
            "256M",
            "-e",
            "A=1&2",
            "-e",
            "B=ü",
            "--description",
            "two words");

    assertThat(status).isEqualTo(ExitStatus.OK);
    HttpRequest request = requests.getFirst();
    assertThat(request.method()).isEqualTo("PUT");
    assertThat(request.target())
        .endsWith(
            ":function:hello:$LATEST?Description=two+words&MemorySize=256"
                + "&Environment=A%3D1%262&Environment=B%3D%C3%BC");
    assertThat(request.header("Content-Type")).hasValue("application/zip");
    assertThat(request.header("Content-Length")).hasValue("5");
    assertThat(request.body()).isEqualTo(zip);
    assertThat(err.toString()).isEmpty(); // No progress bar: nobody watches.
  }

  @Test
  void sendsCodeInTheDocumentWhenTheSettingsAreLong(@TempDir Path directory) throws IOException {
    answer = HttpResponse.json(200, "{}".getBytes(UTF_8));
    byte[] zip = new byte[100_001]; // No multiple of three.
    new Random(7).nextBytes(zip);
    System.arraycopy(new byte[] {'P', 'K', 3, 4}, 0, zip, 0, 4);
    Path file = Files.write(directory.resolve("code.zip"), zip);
    String value = "ü".repeat(10_000);

    int status =
        run("function", "update", "hello", "--code", file.toString(), "-e", "LONG=" + value);

    assertThat(status).describedAs(err.toString()).isEqualTo(ExitStatus.OK);
    HttpRequest request = requests.getFirst();
    assertThat(request.target()).endsWith(":function:hello:$LATEST");
    assertThat(request.text())
        .isEqualTo(
            "{\"Environment\":{\"Variables\":{\"LONG\":\""
                + value
                + "\"}},\"Code\":\""
                + Base64.getEncoder().encodeToString(zip)
                + "\"}");
  }

  @Test
  void refusalOfCodeIsToldBeforeAllOfItIsSent(@TempDir Path directory) throws IOException {
    answer = HttpResponse.error(new ApiException(ErrorCode.REQUEST_TOO_LARGE, "too much"));
    Path file = directory.resolve("code.zip");
    try (FileChannel channel = FileChannel.open(file, CREATE_NEW, WRITE)) {
      channel.write(UTF_8.encode("PK"));
      channel.write(UTF_8.encode("end"), 1L << 30);
    }

    assertThat(run("function", "create", "hello", "--code", file.toString()))
        .isEqualTo(ExitStatus.ENGINE_FAILED);
    assertThat(err.toString()).contains("(413)");
  }

  @Test
  void sendsAnEventThatIsInAFile(@TempDir Path directory) throws IOException {
    Path file = Files.writeString(directory.resolve("event.json"), "{\"big\":true}");

    assertThat(run("invoke", "hello", "-d", "@" + file)).isEqualTo(ExitStatus.OK);
    assertThat(run("invoke", "hello", "--file", file.toString())).isEqualTo(ExitStatus.OK);

    assertThat(requests).extracting(HttpRequest::text).containsOnly("{\"big\":true}");
  }

  @Test
  void saysThatAnEventsFileIsMissing() {
    assertThat(run("invoke", "hello", "-d", "@/no/such/file")).isEqualTo(ExitStatus.USAGE);
    assertThat(err.toString())
        .isEqualTo("easyfaas: --data: cannot read /no/such/file: does not exist\n");
  }

  @Test
  void refusesAnUpdateThatChangesNothing() {
    assertThat(run("function", "update", "hello")).isEqualTo(ExitStatus.USAGE);
    assertThat(err.toString()).contains("nothing to change");
  }

  @Test
  void listsFunctionsInColumns() {
    answer =
        HttpResponse.json(
            200,
            """
            {"Functions":[{"FunctionName":"a","Handler":"index.handler","Runtime":"nodejs",
            "MemorySize":128,"Timeout":5,"Version":"$LATEST","FunctionArn":"x","CodeSha256":"y"}]}
            """
                .getBytes(UTF_8));

    assertThat(run("function", "list")).isEqualTo(ExitStatus.OK);
    assertThat(out.toString())
        .isEqualTo(
            """
            NAME  VERSION  RUNTIME  HANDLER        MEMORY  TIMEOUT  CONCURRENCY
            a     $LATEST  nodejs   index.handler  128MiB  5s       1
            """);
  }

  @Test
  @Timeout(30)
  void aListThatNeverEndsIsTheRegistrysFault() {
    answer = HttpResponse.json(200, "{\"Functions\":[],\"NextMarker\":\"again\"}".getBytes(UTF_8));

    assertThat(run("function", "list")).isEqualTo(ExitStatus.ENGINE_FAILED);
    assertThat(err.toString())
        .contains("the registry's list has no end: NextMarker \"again\" came twice");
    assertThat(requests).hasSize(2);
  }

  @Test
  @Timeout(30)
  void anEmptyMarkerEndsAList() {
    answer = HttpResponse.json(200, "{\"Functions\":[],\"NextMarker\":\"\"}".getBytes(UTF_8));

    assertThat(run("function", "list")).isEqualTo(ExitStatus.OK);
    assertThat(requests).hasSize(1);
  }

  @Test
  void writesACompletionScriptThatKnowsEveryCommand() {
    assertThat(run("generate-completion")).isEqualTo(ExitStatus.OK);
    assertThat(out.toString())
        .contains("up", "demo", "invoke", "containers", "doctor", "--registry-port");
  }

  @Test
  void namesTheCommandsWhenNoneIsGiven() {
    assertThat(run()).isEqualTo(ExitStatus.USAGE);
    assertThat(err.toString()).contains("Missing command", "invoke", "up");
  }

  @Test
  void aPartIsRecognisedUnlessItsHelpIsAskedFor() {
    assertThat(ServiceCommand.of("up", "--port", "1").map(ServiceCommand::name)).contains("up");
    assertThat(ServiceCommand.of("stubs").map(ServiceCommand::name)).contains("stubs");
    assertThat(ServiceCommand.of("up", "--port", "1", "--help")).isEmpty();
    assertThat(ServiceCommand.of("function", "get", "up")).isEmpty();
    assertThat(ServiceCommand.of()).isEmpty();
  }

  @Test
  void aPartShowsItsFlags() {
    assertThat(run("up", "--help")).isEqualTo(ExitStatus.OK);
    assertThat(out.toString()).contains("--registry-port=<port>", "(default: 8002)");
  }

  @Test
  void aPartRefusesAFlagItDoesNotKnow() {
    ServiceCommand up = ServiceCommand.of("up", "--prot=1").orElseThrow();

    assertThatThrownBy(() -> up.run(List.of("--prot=1")))
        .isInstanceOf(ConfigException.class)
        .hasMessageStartingWith("unknown flag --prot ");
  }

  private int run(String... args) {
    String address = "http://127.0.0.1:" + server.port();
    CommandLine line = Main.commandLine();
    line.setOut(new PrintWriter(out, true));
    line.setErr(new PrintWriter(err, true));
    boolean asksTheEngine =
        args.length > 0 && List.of("invoke", "containers", "function").contains(args[0]);
    if (!asksTheEngine) {
      return line.execute(args);
    }
    List<String> all = new ArrayList<>(List.of(args));
    all.add("--controller=" + address);
    all.add("--registry=" + address);
    return line.execute(all.toArray(String[]::new));
  }
}
