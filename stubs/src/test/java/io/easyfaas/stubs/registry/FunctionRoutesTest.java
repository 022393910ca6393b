package io.easyfaas.stubs.registry;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.brn.Account;
import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.function.FunctionConfiguration;
import io.easyfaas.common.function.FunctionDocument;
import io.easyfaas.common.function.FunctionDocument.LogConfig;
import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.stubs.store.FunctionStore;
import io.easyfaas.stubs.store.StoreLimits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class FunctionRoutesTest {
  private static final String HASH = "8f6e5a28c663957ea04522547a66d08f";
  private static final String HELLO = "brn:cloud:faas:bj:" + HASH + ":function:hello";
  private static final String V1 = "/v1/functions/";
  private static final UploadLimits LIMITS =
      new UploadLimits(ByteSize.parse("64KiB"), 4, ByteSize.parse("256KiB"));

  @TempDir private Path directory = Path.of("");

  private final List<String> changes = new ArrayList<>();
  private Instant now = Instant.parse("2026-11-23T10:00:00.123456Z");

  @SuppressWarnings("NullAway.Init")
  private FunctionStore store;

  @SuppressWarnings("NullAway.Init")
  private FunctionRoutes routes;

  private record FunctionList(List<FunctionConfiguration> functions, @Nullable String nextMarker) {}

  private record VersionList(List<FunctionConfiguration> versions, @Nullable String nextMarker) {}

  @BeforeEach
  void open() throws IOException {
    Path nodejs = Files.createDirectories(directory.resolve("runtimes/nodejs20"));
    Files.writeString(
        nodejs.resolve("runtime.json"),
        """
        {"Name":"nodejs20","Bin":"/usr/bin/node","Path":"/r","Args":["x"],"Aliases":["nodejs8.5"]}
        """);
    store = FunctionStore.open(directory.resolve("functions"), StoreLimits.NONE);
    RuntimeCatalog runtimes = new RuntimeCatalog(directory.resolve("runtimes"));
    FunctionRegistry registry =
        new FunctionRegistry(
            store, runtimes, () -> now, revision -> changes.add(revision.toString()));
    routes = new FunctionRoutes(store, registry, runtimes, LIMITS);
  }

  @AfterEach
  void close() {
    store.close();
  }

  @Test
  void createsAFunctionFromTheOriginalsSampleBody() throws Exception {
    byte[] zip = Zips.of("index.js");
    HttpResponse created =
        send(
            "POST",
            V1 + "hello",
            """
            {"Version":"1","Description":"says hello","Runtime":"nodejs20","Timeout":7,
             "MemorySize":256,"Handler":"index.main","PodConcurrentQuota":10,"Code":"%s"}
            """
                .formatted(Base64.getEncoder().encodeToString(zip)));

    assertThat(created.status()).isEqualTo(200);
    assertThat(created.body()).isEmpty();
    FunctionDocument document = get(HELLO + ":1");
    FunctionConfiguration configuration = document.configuration();
    byte[] sha256 = MessageDigest.getInstance("SHA-256").digest(zip);
    assertThat(configuration.codeSha256()).isEqualTo(Base64.getEncoder().encodeToString(sha256));
    assertThat(configuration.codeSize()).isEqualTo(zip.length);
    assertThat(Files.readAllBytes(Path.of(document.code().location()))).isEqualTo(zip);
    assertThat(document.code().repositoryType()).isEqualTo("filesystem");
    assertThat(configuration)
        .usingRecursiveComparison()
        .ignoringFields("codeSha256", "codeSize", "commitId", "environment")
        .isEqualTo(
            new FunctionConfiguration(
                "",
                null,
                "says hello",
                null,
                HELLO + ":1",
                "hello",
                "index.main",
                "2026-11-23T10:00:00.123Z",
                256,
                "nodejs20",
                7,
                "1",
                null,
                Account.DEFAULT.id(),
                10,
                null));
    assertThat(document.uid()).isEqualTo(Account.DEFAULT.id());
  }

  @Test
  void createsAFunctionFromNothingWithTheDefaults() {
    assertThat(send("POST", V1 + "hello", "").status()).isEqualTo(200);

    FunctionConfiguration configuration = get("hello").configuration();
    assertThat(configuration.version()).isEqualTo("$LATEST");
    assertThat(configuration.functionArn()).isEqualTo(HELLO + ":$LATEST");
    assertThat(configuration.runtime()).isEqualTo("nodejs8.5");
    assertThat(configuration.handler()).isEqualTo("index.handler");
    assertThat(configuration.timeout()).isEqualTo(5);
    assertThat(configuration.memorySize()).isEqualTo(128);
    assertThat(configuration.variables()).isEmpty();
  }

  @Test
  void takesEmptyMembersAndZerosForDefaults() {
    send(
        "POST",
        V1 + "hello",
        """
        {"Version":"","Runtime":"","Timeout":0,"MemorySize":0,"Handler":"","Code":"","Other":1}
        """);

    FunctionConfiguration configuration = get("hello").configuration();
    assertThat(configuration.timeout()).isEqualTo(5);
    assertThat(configuration.memorySize()).isEqualTo(128);
    assertThat(configuration.handler()).isEqualTo("index.handler");
  }

  @Test
  void servesEveryMemberThatReadersOfTheOriginalRelyOn() {
    send("POST", V1 + "hello", "{\"Tags\":{\"team\":\"a\"}}");

    assertThat(send("GET", V1 + "hello", "").text())
        .contains(
            "\"Code\":{\"Location\":\"",
            "\"Concurrency\":{\"ReservedConcurrentExecutions\":null,\"AccountReservedSum\":0}",
            "\"Configuration\":{\"CodeSha256\":\"",
            "\"LogConfig\":{\"LogType\":\"\",\"BosDir\":\"\",\"Params\":\"\"}",
            "\"Uid\":\"" + Account.DEFAULT.id() + "\"",
            "\"Tags\":{\"team\":\"a\"}",
            "\"Environment\":{\"Variables\":{}}");
  }

  @Test
  void storesEnvironmentTagsAndLogType() {
    send(
        "POST",
        V1 + "hello",
        """
        {"Environment":{"Variables":{"GREETING":"hi","_X":""}},"Tags":{"a":"b"},"LogType":"bos"}
        """);

    FunctionDocument document = get("hello");
    assertThat(document.configuration().variables()).isEqualTo(Map.of("GREETING", "hi", "_X", ""));
    assertThat(document.tags()).isEqualTo(Map.of("a", "b"));
    assertThat(document.configuration().logType()).isEqualTo("bos");
    assertThat(document.logConfig()).isEqualTo(new LogConfig("bos", "", ""));
  }

  @Test
  void aVersionInTheNameWinsOverTheOneInTheQueryAndTheBody() {
    send("POST", V1 + "hello:3?Qualifier=4", "{\"Version\":\"5\"}");
    send("POST", V1 + "hello?Qualifier=4", "{\"Version\":\"5\"}");
    send("POST", V1 + "hello", "{\"Version\":\"5\"}");

    assertThat(changes).containsExactly(HELLO + ":3", HELLO + ":4", HELLO + ":5");
  }

  @Test
  void everyChangeHasItsOwnCommitAndTime() {
    send("POST", V1 + "a", "");
    send("POST", V1 + "b", "");
    String first = commit("a");
    assertThat(commit("b")).isNotEqualTo(first);

    now = now.plusSeconds(60);
    send("POST", V1 + "a", "");
    String second = commit("a");
    send("PUT", V1 + "a", "{\"Timeout\":6}");
    String third = commit("a");

    assertThat(List.of(first, second, third)).doesNotHaveDuplicates();
    assertThat(first)
        .matches("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
    assertThat(get("a").configuration().lastModified()).isEqualTo("2026-11-23T10:01:00.123Z");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "hello",
        "hello:$LATEST",
        "hello?Qualifier=$LATEST",
        "hello?Qualifier=%24LATEST",
        HASH + ":hello",
        HASH + ":hello:$LATEST",
        HELLO,
        HELLO + ":$LATEST",
        "brn%3Acloud%3Afaas%3Abj%3A" + HASH + "%3Afunction%3Ahello"
      })
  void findsAFunctionByEverySpellingOfItsName(String name) {
    send("POST", V1 + "hello", "");

    assertThat(send("GET", V1 + name, "").status()).isEqualTo(200);
    assertThat(send("GET", "/inside-v1/functions/" + name, "").status()).isEqualTo(200);
  }

  @ParameterizedTest
  @CsvSource({
    "hello:1, :1",
    "hello:live, :live",
    "hello?Qualifier=9, :9",
  })
  void namesTheFunctionItDoesNotFind(String name, String qualifier) {
    send("POST", V1 + "hello", "");

    HttpResponse response = send("GET", V1 + name, "");
    assertThat(response.status()).isEqualTo(404);
    assertThat(response.text())
        .contains("\"Code\":\"ResourceNotFoundException\"")
        .contains("\"Cause\":\"not found function " + HELLO + qualifier + "\"");
  }

  @ParameterizedTest
  @ValueSource(strings = {"a.b", "brn:bad", "hello:a.b", "x:y:z", "hello?Qualifier=a.b", "%"})
  void refusesWhatIsNoNameOfAFunction(String name) {
    HttpResponse response = send("GET", V1 + name, "");

    assertThat(response.status()).isEqualTo(400);
    assertThat(response.text()).contains("InvalidParameterValueException");
  }

  @Test
  void updatesTheMembersThatAreThereAndNoOther() {
    send(
        "POST",
        V1 + "hello",
        """
        {"Description":"d","Timeout":7,"MemorySize":256,"PodConcurrentQuota":3,"LogType":"bos",
         "Environment":{"Variables":{"A":"b"}},"Tags":{"t":"u"}}
        """);
    FunctionDocument before = get("hello");

    HttpResponse response = send("PUT", V1 + "hello", "{\"Timeout\":8}");

    assertThat(response.status()).isEqualTo(200);
    FunctionDocument after = get("hello");
    assertThat(Json.PASCAL.read(response.body(), FunctionDocument.class)).isEqualTo(after);
    assertThat(after)
        .usingRecursiveComparison()
        .ignoringFields("configuration.timeout", "configuration.commitId")
        .isEqualTo(before);
    assertThat(after.configuration().timeout()).isEqualTo(8);
  }

  @Test
  void updatesEveryMember() {
    send("POST", V1 + "hello", "{\"Environment\":{\"Variables\":{\"A\":\"b\"}}}");
    byte[] zip = Zips.of("other.js");

    send(
        "PUT",
        V1 + "hello",
        """
        {"Description":"d","Timeout":8,"MemorySize":512,"PodConcurrentQuota":0,"LogType":"none",
         "Runtime":"nodejs20","Handler":"other.main","Environment":{"Variables":{}},
         "Tags":{"t":"u"},"Code":"%s"}
        """
            .formatted(Base64.getEncoder().encodeToString(zip)));

    FunctionDocument document = get("hello");
    FunctionConfiguration configuration = document.configuration();
    assertThat(configuration.description()).isEqualTo("d");
    assertThat(configuration.timeout()).isEqualTo(8);
    assertThat(configuration.memorySize()).isEqualTo(512);
    assertThat(configuration.podConcurrentQuota()).isZero();
    assertThat(configuration.logType()).isEqualTo("none");
    assertThat(configuration.runtime()).isEqualTo("nodejs20");
    assertThat(configuration.handler()).isEqualTo("other.main");
    assertThat(configuration.variables()).isEmpty();
    assertThat(document.tags()).isEqualTo(Map.of("t", "u"));
    assertThat(configuration.codeSize()).isEqualTo(zip.length);
    assertThat(Path.of(document.code().location())).hasBinaryContent(zip);
  }

  @Test
  void anUpdateThatSaysNothingChangesNothing() {
    send("POST", V1 + "hello", "");
    FunctionDocument before = get("hello");
    changes.clear();

    assertThat(send("PUT", V1 + "hello", "{\"Unknown\":1}").status()).isEqualTo(200);

    assertThat(get("hello")).isEqualTo(before);
    assertThat(changes).isEmpty();
  }

  @Test
  void updatesOnlyWhatExists() {
    assertThat(send("PUT", V1 + "hello", "{\"Timeout\":8}").status()).isEqualTo(404);
    assertThat(send("PUT", V1 + "hello", "{\"Code\":\"AAAA\"}").status()).isEqualTo(404);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      textBlock =
          """
          {                          | JSON: Unexpected end-of-input
          []                         | JSON: a list (expected: an object)
          {"Timeout":"soon"}         | JSON: Timeout: \\"soon\\" (expected: a whole number)
          {"Timeout":3.5}            | JSON: Timeout: 3.5 (expected: a whole number)
          {"Timeout":"3"}            | JSON: Timeout: \\"3\\" (expected: a whole number)
          {"Environment":[]}         | JSON: Environment: a list (expected: an object)
          {"Timeout":901}            | Timeout: 901 (expected: 1 to 900 seconds)
          {"Timeout":-1}             | Timeout: -1 (expected: 1 to 900 seconds)
          {"MemorySize":63}          | MemorySize: 63 (expected: 64 to 10240 mebibytes)
          {"MemorySize":10241}       | MemorySize: 10241 (expected: 64 to 10240 mebibytes)
          {"PodConcurrentQuota":-1}  | PodConcurrentQuota: -1 (expected: 0 to 1000 calls)
          {"PodConcurrentQuota":1001} | PodConcurrentQuota: 1001 (expected: 0 to 1000 calls)
          {"Runtime":"cobol"}        | Runtime: \\"cobol\\" (expected: one of nodejs20)
          {"Handler":"index"}        | Handler: \\"index\\" (expected: module.function, at most 128 characters)
          {"Handler":"../index.h"}   | Handler: \\"../index.h\\" (expected: module.function
          {"Handler":"/index.h"}     | Handler: \\"/index.h\\" (expected: module.function
          {"Handler":"index.h;x"}    | Handler: \\"index.h;x\\" (expected: module.function
          {"Version":"live"}         | version: \\"live\\" (expected: $LATEST or up to 18 digits)
          {"Version":"0"}            | Version: \\"0\\" (expected: $LATEST, or digits that do not start with 0)
          {"Version":"007"}          | Version: \\"007\\" (expected: $LATEST, or digits that do not start with 0)
          {"LogType":"a b"}          | LogType: \\"a b\\" (expected: up to 32 letters)
          {"Code":"AA!!"}            | JSON: Code: Illegal character '!'
          {"Code":[80,75]}           | Code: an array (expected: a text of base64)
          {"Code":"","code":""}      | JSON: code: twice (expected: once)
          {"Code":"AAAA"}            | Code: the zip is not a zip archive
          {"Environment":{"Variables":{"1A":"x"}}}  | Environment.Variables: \\"1A\\" (expected: names of letters, digits and _, not starting with a digit)
          {"Environment":{"Variables":{"A=B":"x"}}} | Environment.Variables: \\"A=B\\" (expected: names
          {"Environment":{"Variables":{"A":null}}}  | JSON: Environment.Variables.A: null (expected: a text)
          {"Environment":{"Variables":{"A":"\\u0000"}}} | Environment.Variables.A: a text with NUL
          {"Tags":{"a":null}}        | JSON: Tags.a: null (expected: a text)
          {"Environment":{"Variables":{"A":"x\\uD800"}}} | Environment.Variables.A: a text with half a character (expected: a text without)
          {"Description":"\\uD83Dx"}  | Description: a text with half a character
          {"Tags":{"a":"\\uDE80"}}   | Tags.a: a text with half a character
          {"Tags":{"":"b"}}          | Tags: \\"\\" (expected: keys of 1 to 128 characters)
          """)
  void namesTheMemberItsValueAndWhatWasExpected(String body, String cause) {
    for (String method : new String[] {"POST", "PUT"}) {
      send("POST", V1 + "before", "");
      if (method.equals("PUT") && body.contains("Version")) {
        continue; // Of no meaning to an update.
      }
      HttpResponse response = send(method, V1 + "before", body);

      assertThat(response.status()).as(method).isEqualTo(400);
      assertThat(response.text())
          .contains("\"Code\":\"InvalidParameterValueException\"")
          .contains("\"Cause\":\"" + cause);
      assertThat(directory.resolve("functions/.incoming")).isEmptyDirectory();
    }
  }

  @Test
  void limitsLongTexts() {
    String handler = "x".repeat(127) + ".h";
    String variables = "{\"Environment\":{\"Variables\":{\"A\":\"%s\"}}}";
    String tags =
        IntStream.range(0, 51).mapToObj(i -> "\"" + i + "\":\"\"").collect(Collectors.joining(","));

    assertThat(send("POST", V1 + "a", "{\"Handler\":\"" + handler + "\"}").text())
        .contains("…\\\" of 129 characters (expected: module.function");
    assertThat(send("POST", V1 + "a", "{\"Description\":\"" + "x".repeat(257) + "\"}").text())
        .contains("of 257 characters (expected: at most 256 characters)");
    assertThat(send("POST", V1 + "a", variables.formatted("é".repeat(2048))).text())
        .contains("4097 bytes (expected: at most 4096 bytes of names and values)");
    assertThat(send("POST", V1 + "a", "{\"Tags\":{" + tags + "}}").text())
        .contains("Tags: 51 tags (expected: at most 50)");
    assertThat(send("POST", V1 + "a", variables.formatted("x".repeat(4095))).status())
        .isEqualTo(200);
  }

  @Test
  void answersCodeOverTheLimitWith413() {
    String code = Base64.getEncoder().encodeToString(new byte[64 * 1024 + 1]);

    HttpResponse response = send("POST", V1 + "hello", "{\"Code\":\"" + code + "\"}");

    assertThat(response.status()).isEqualTo(413);
    assertThat(response.text())
        .contains("Code: larger than the limit (expected: at most 64KiB, see --max-code-size)");
  }

  @Test
  void aRefusedCreateLeavesWhatWasThere() {
    send("POST", V1 + "hello", "{\"Timeout\":7}");
    FunctionDocument before = get("hello");

    send("POST", V1 + "hello", "{\"Timeout\":1000}");

    assertThat(get("hello")).isEqualTo(before);
    assertThat(changes).hasSize(1);
  }

  @Test
  void ownsFunctionsByTheCallersAccount() {
    HttpRequest create = HttpRequest.of("POST", V1 + "hello").withHeader("X-Bce-Account-Id", "bob");
    send(create);

    HttpResponse found =
        send(HttpRequest.of("GET", V1 + "hello").withHeader("X-Easyfaas-Account-Id", "bob"));
    FunctionDocument document = Json.PASCAL.read(found.body(), FunctionDocument.class);

    assertThat(document.configuration().uid()).isEqualTo("bob");
    assertThat(document.uid()).isEqualTo("bob");
    assertThat(document.configuration().functionArn())
        .isEqualTo("brn:cloud:faas:bj:" + new Account("bob").hash() + ":function:hello:$LATEST");
    assertThat(send("GET", V1 + "hello", "").status()).isEqualTo(404);
    assertThat(send("GET", "/v1/functions", "").text()).isEqualTo("{\"Functions\":[]}");
  }

  @Test
  void onlyTheOwnerChangesAFunctionAndEveryoneReadsIt() {
    send("POST", V1 + "hello", "");
    for (String[] request :
        new String[][] {
          {"POST", V1 + HELLO},
          {"PUT", V1 + HELLO},
          {"DELETE", V1 + HELLO},
          {"POST", V1 + HELLO + "/versions"},
          {"POST", V1 + HELLO.replace("hello", "new")}
        }) {
      HttpResponse response =
          send(
              HttpRequest.of(request[0], request[1], "{}".getBytes(UTF_8))
                  .withHeader("X-Easyfaas-Account-Id", "mallory"));

      assertThat(response.status()).as(request[0] + request[1]).isEqualTo(403);
      assertThat(response.text()).contains("InvalidInvokeCallerException").contains("mallory");
    }
    assertThat(
            send(HttpRequest.of("GET", V1 + HELLO).withHeader("X-Easyfaas-Account-Id", "mallory"))
                .status())
        .isEqualTo(200);
    assertThat(changes).hasSize(1);
  }

  @Test
  void listsFunctionsByNameWithTheirMostCurrentRevision() {
    send("POST", V1 + "c:2", "");
    send("POST", V1 + "c:10", "");
    send("POST", V1 + "b", "");
    send("POST", V1 + "b:7", "");
    send("POST", V1 + "a:1", "");

    List<FunctionConfiguration> functions =
        Json.PASCAL.read(send("GET", "/v1/functions", "").body(), FunctionList.class).functions();

    assertThat(functions)
        .extracting(f -> f.functionName() + ":" + f.version())
        .containsExactly("a:1", "b:$LATEST", "c:10");
  }

  @Test
  void publishesVersionsOneAfterTheOther() {
    send("POST", V1 + "hello", "{\"Timeout\":7,\"Description\":\"mine\"}");

    HttpResponse first = send("POST", V1 + "hello/versions", "");
    send("PUT", V1 + "hello", "{\"Timeout\":8}");
    HttpResponse second = send("POST", V1 + "hello/versions", "{\"Description\":\"two\"}");

    assertThat(first.status()).isEqualTo(201);
    assertThat(second.status()).isEqualTo(201);
    FunctionConfiguration two = Json.PASCAL.read(second.body(), FunctionConfiguration.class);
    assertThat(two.version()).isEqualTo("2");
    assertThat(two.functionArn()).isEqualTo(HELLO + ":2");
    assertThat(two.description()).isEqualTo("two");
    assertThat(get("hello:2").configuration()).isEqualTo(two);
    assertThat(get("hello:1").configuration().timeout()).isEqualTo(7);
    assertThat(get("hello:1").configuration().description()).isEqualTo("mine");
    assertThat(commit("hello:1")).isNotEqualTo(commit("hello:2")).isNotEqualTo(commit("hello"));
    assertThat(changes)
        .containsExactly(HELLO + ":$LATEST", HELLO + ":1", HELLO + ":$LATEST", HELLO + ":2");
  }

  @Test
  void aPublishedVersionKeepsItsCodeWhenLatestChanges() throws IOException {
    byte[] zip = Zips.of("index.js");
    String create = "{\"Code\":\"" + Base64.getEncoder().encodeToString(zip) + "\"}";
    send("POST", V1 + "hello", create);
    send("POST", V1 + "hello/versions", "");
    for (int i = 0; i < 3; i++) {
      byte[] other = Zips.of("index" + i + ".js");
      send("PUT", V1 + "hello", "{\"Code\":\"" + Base64.getEncoder().encodeToString(other) + "\"}");
    }

    assertThat(Path.of(get("hello:1").code().location())).hasBinaryContent(zip);
    send("DELETE", V1 + "hello:$LATEST", "");
    assertThat(Path.of(get("hello:1").code().location())).hasBinaryContent(zip);
  }

  @Test
  void publishingWhatDidNotChangeAnswersTheVersionThereIs() {
    send("POST", V1 + "hello", "");
    HttpResponse first = send("POST", V1 + "hello/versions", "{\"Description\":\"one\"}");
    send("POST", V1 + "hello", "");

    HttpResponse again = send("POST", V1 + "hello/versions", "{\"Description\":\"two\"}");

    assertThat(again.status()).isEqualTo(201);
    assertThat(again.text()).isEqualTo(first.text());
  }

  @Test
  void neverUsesANumberTwice() {
    send("POST", V1 + "hello", "");
    publish("1");
    send("DELETE", V1 + "hello:1", "");
    publish("2");
    send("DELETE", V1 + "hello", "");
    send("POST", V1 + "hello", "");
    publish("3");
    send("POST", V1 + "hello:20", "{\"Timeout\":9}");
    publish("21");
  }

  @Test
  void publishesLatestOnly() {
    send("POST", V1 + "hello:1", "");

    HttpResponse noLatest = send("POST", V1 + "hello/versions", "");
    HttpResponse numbered = send("POST", V1 + "hello:1/versions", "");

    assertThat(noLatest.status()).isEqualTo(404);
    assertThat(noLatest.text()).contains(HELLO + ":$LATEST");
    assertThat(numbered.status()).isEqualTo(400);
  }

  @Test
  void listsVersionsOfOneFunction() {
    for (String name : new String[] {"hello:10", "hello:2", "hello", "other:3"}) {
      send("POST", V1 + name, "");
    }

    List<FunctionConfiguration> versions =
        Json.PASCAL
            .read(send("GET", V1 + "hello/versions", "").body(), VersionList.class)
            .versions();

    assertThat(versions)
        .extracting(FunctionConfiguration::version)
        .containsExactly("$LATEST", "2", "10");
    assertThat(send("GET", V1 + "nobody/versions", "").status()).isEqualTo(404);
  }

  @Test
  void listsNoMoreThanAPageAtOnce() {
    String large = "\\u0001".repeat(4_000); // Six bytes each, as JSON writes it.
    for (int i = 0; i < 25; i++) {
      send(
          "POST",
          V1 + "f%02d".formatted(i),
          "{\"Environment\":{\"Variables\":{\"A\":\"%s\"}}}".formatted(large));
    }

    List<String> names = new ArrayList<>();
    String marker = "";
    int pages = 0;
    while (marker != null) {
      HttpResponse page = send("GET", "/v1/functions?Marker=" + marker, "");
      assertThat(page.body()).hasSizeLessThan(256 * 1024 + 200);
      FunctionList list = Json.PASCAL.read(page.body(), FunctionList.class);
      list.functions().forEach(function -> names.add(function.functionName()));
      marker = list.nextMarker();
      pages++;
    }

    assertThat(pages).isGreaterThan(1);
    assertThat(names).hasSize(25).isSorted().doesNotHaveDuplicates();
  }

  @Test
  void listsAsManyAsAreWanted() {
    for (String name : new String[] {"a:10", "a:2", "a", "b", "c"}) {
      send("POST", V1 + name, "");
    }

    FunctionList functions = functions("MaxItems=2");
    assertThat(functions.functions())
        .extracting(FunctionConfiguration::functionName)
        .containsExactly("a", "b");
    assertThat(functions("Marker=" + functions.nextMarker()))
        .returns(null, FunctionList::nextMarker)
        .satisfies(rest -> assertThat(rest.functions()).hasSize(1));
    assertThat(functions("Marker=b").functions()).hasSize(1);
    assertThat(functions("MaxItems=3").nextMarker()).isNull();
    VersionList versions = versions("MaxItems=1");
    assertThat(versions.nextMarker()).isEqualTo("$LATEST");
    versions = versions("MaxItems=1&Marker=$LATEST");
    assertThat(versions.nextMarker()).isEqualTo("2");
    assertThat(versions("Marker=2").versions())
        .extracting(FunctionConfiguration::version)
        .containsExactly("10");
    for (String bad : new String[] {"MaxItems=0", "MaxItems=10001", "MaxItems=x", "Marker=x"}) {
      assertThat(send("GET", V1 + "a/versions?" + bad, "").status()).isEqualTo(400);
    }
  }

  private FunctionList functions(String query) {
    return Json.PASCAL.read(send("GET", "/v1/functions?" + query, "").body(), FunctionList.class);
  }

  private VersionList versions(String query) {
    return Json.PASCAL.read(send("GET", V1 + "a/versions?" + query, "").body(), VersionList.class);
  }

  @Test
  void deletesAFunctionWithAllItsVersions() {
    send("POST", V1 + "hello", "");
    send("POST", V1 + "hello:1", "");
    changes.clear();

    HttpResponse response = send("DELETE", V1 + "hello", "");

    assertThat(response.status()).isEqualTo(204);
    assertThat(response.body()).isEmpty();
    assertThat(send("GET", V1 + "hello", "").status()).isEqualTo(404);
    assertThat(send("GET", V1 + "hello:1", "").status()).isEqualTo(404);
    assertThat(changes).containsExactly(HELLO + ":$LATEST", HELLO + ":1");
    assertThat(send("DELETE", V1 + "hello", "").status()).isEqualTo(404);
  }

  @Test
  void deletesOneVersion() {
    send("POST", V1 + "hello", "");
    send("POST", V1 + "hello:1", "");

    assertThat(send("DELETE", V1 + "hello?Qualifier=1", "").status()).isEqualTo(204);

    assertThat(send("GET", V1 + "hello:1", "").status()).isEqualTo(404);
    assertThat(send("GET", V1 + "hello", "").status()).isEqualTo(200);
    assertThat(send("DELETE", V1 + "hello?Qualifier=1", "").status()).isEqualTo(404);
    assertThat(send("DELETE", V1 + "hello:live", "").status()).isEqualTo(404);
  }

  @Test
  void servesRuntimesByNameAndAlias() {
    String expected =
        "{\"Name\":\"nodejs20\",\"Bin\":\"/usr/bin/node\",\"Path\":\"/r\",\"Args\":[\"x\"],"
            + "\"Aliases\":[\"nodejs8.5\"]}";

    assertThat(send("GET", "/v1/runtimes/nodejs20/configuration", "").text()).isEqualTo(expected);
    assertThat(send("GET", "/inside-v1/runtimes/nodejs8.5/configuration", "").text())
        .isEqualTo(expected);
    assertThat(send("GET", "/v1/runtimes", "").text())
        .isEqualTo("{\"Runtimes\":[" + expected + "]}");
  }

  @Test
  void namesTheRuntimesThereAreWhenOneIsUnknown() {
    HttpResponse response = send("GET", "/v1/runtimes/cobol/configuration", "");

    assertThat(response.status()).isEqualTo(404);
    assertThat(response.text())
        .contains("ResourceNotFoundException")
        .contains("not found runtime \\\"cobol\\\" (expected: one of nodejs20)");
  }

  @Test
  void greetsAndIsHealthy() {
    assertThat(send("GET", "/hello", "").text()).isEqualTo("hello controller stubs");
    assertThat(send("GET", "/healthz", "").text()).isEqualTo("ok");
  }

  @Test
  void aFailingListenerSpoilsNothing() {
    RuntimeCatalog runtimes = new RuntimeCatalog(directory.resolve("runtimes"));
    FunctionRegistry registry =
        new FunctionRegistry(
            store,
            runtimes,
            () -> now,
            _ -> {
              throw new IllegalStateException("listener");
            });
    routes = new FunctionRoutes(store, registry, runtimes, LIMITS);

    assertThat(send("POST", V1 + "hello", "").status()).isEqualTo(200);
    assertThat(send("GET", V1 + "hello", "").status()).isEqualTo(200);
  }

  @Test
  void refusesAnAccountThatIsTooLong() {
    HttpResponse response =
        send(
            HttpRequest.of("GET", V1 + "hello")
                .withHeader("X-Easyfaas-Account-Id", "x".repeat(129)));

    assertThat(response.status()).isEqualTo(400);
  }

  private void publish(String expectedVersion) {
    HttpResponse response = send("POST", V1 + "hello/versions", "");
    assertThat(response.status()).isEqualTo(201);
    assertThat(Json.PASCAL.read(response.body(), FunctionConfiguration.class).version())
        .isEqualTo(expectedVersion);
  }

  private String commit(String name) {
    @Nullable String commit = get(name).configuration().commitId();
    assertThat(commit).isNotNull();
    return String.valueOf(commit);
  }

  private FunctionDocument get(String name) {
    HttpResponse response = send("GET", V1 + name, "");
    assertThat(response.status()).as(response.text()).isEqualTo(200);
    FunctionDocument document = Json.PASCAL.read(response.body(), FunctionDocument.class);
    String arn = document.configuration().functionArn();
    assertThat(store.find(FunctionBrn.parse(arn))).contains(document);
    return document;
  }

  private HttpResponse send(String method, String target, String body) {
    return send(HttpRequest.of(method, target, body.getBytes(UTF_8)));
  }

  private HttpResponse send(HttpRequest request) {
    try {
      return routes.handle(request);
    } catch (ApiException e) {
      return HttpResponse.error(e);
    }
  }
}
