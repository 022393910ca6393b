package io.easyfaas.controller;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.brn.Account;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.wire.ErrorDocument;
import io.easyfaas.controller.FakeRegistry.Traits;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The public invoke API, row by row.
class InvokeTest {
  private static final String UUID_4 =
      "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";

  private final TestController engine = new TestController(4, 512);

  @AfterEach
  void stop() {
    engine.close();
  }

  @Test
  void answersWithWhatTheFunctionReturns() {
    String brn = engine.registry.add("hello", Traits.of("echo"));

    HttpResponse<String> response = engine.invoke(brn, "{\"a\":1}");

    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.body()).isEqualTo("{\"a\":1}");
    assertThat(header(response, "X-Easyfaas-Request-Id")).matches(UUID_4);
    assertThat(header(response, "X-Easyfaas-Function-Exectime")).matches("[0-9]+\\.[0-9]{3}");
    assertThat(header(response, "Content-Type")).isEqualTo("text/plain; charset=utf-8");
    assertThat(response.headers().firstValue("X-Easyfaas-Function-Error")).isEmpty();
  }

  @Test
  void secondCallUsesTheWarmSlotAndTheCache() {
    String brn = engine.registry.add("hello", Traits.of("echo"));
    engine.invoke(brn, "1");

    assertThat(engine.invoke(brn, "2").body()).isEqualTo("2");

    assertThat(engine.funclet.warmups()).hasSize(1);
    assertThat(engine.registry.asked()).isEqualTo(1);
  }

  @Test
  void plainNameWithQualifierMeansThatVersion() {
    engine.registry.add("hello", Traits.of("echo"));

    HttpResponse<String> response =
        engine.send(engine.invocation("hello", "Qualifier=1", "x").build());

    assertThat(response.body()).isEqualTo("x");
  }

  @Test
  void percentEncodedNamesAndDoubleSlashesAreUnderstood() {
    String brn = engine.registry.add("hello", Traits.of("echo"));
    String encoded = brn.replace(":", "%3A");

    HttpRequest request =
        engine
            .invocation(encoded, "x")
            .uri(engine.uri("//v1/functions/" + encoded + "/invocations"))
            .build();

    assertThat(engine.send(request).body()).isEqualTo("x");
  }

  @Test
  void emptyBodyIsAnEmptyEvent() throws Exception {
    String brn = engine.registry.add("hello", Traits.of("hold"));
    var response = engine.invokeLater(brn, "");

    FakeRunner.Call call = engine.funclet.awaitHeld();
    call.answer("ok");

    assertThat(call.event()).isEmpty(); // The runner reads empty as {}, see protocol.md §5.
    assertThat(TestController.await(response).body()).isEqualTo("ok");
  }

  @Test
  void largeEventsAndAnswersPassUnchanged() {
    String brn = engine.registry.add("hello", Traits.of("echo"));
    String body = "0123456789abcdef".repeat(6 * 1024 * 1024 / 16);

    assertThat(engine.invoke(brn, body).body()).isEqualTo(body);
  }

  @Test
  void givenRequestIdIsUsedEverywhere() throws Exception {
    String brn = engine.registry.add("hello", Traits.of("hold"));
    var response =
        engine.sendLater(engine.invocation(brn, "x").header("X-Bce-Request-Id", "my-id/1").build());

    FakeRunner.Call call = engine.funclet.awaitHeld();
    call.answer("ok");

    assertThat(call.requestId()).isEqualTo("my-id/1");
    assertThat(header(TestController.await(response), "X-Easyfaas-Request-Id"))
        .isEqualTo("my-id/1");
  }

  @ParameterizedTest
  @ValueSource(strings = {"with space", "tab\tinside", ""})
  void requestIdThatCannotBeUsedIsReplaced(String given) {
    String brn = engine.registry.add("hello", Traits.of("echo"));
    HttpRequest.Builder request = engine.invocation(brn, "x");

    HttpResponse<String> response =
        engine.send(request.header("X-Easyfaas-Request-Id", given).build());

    assertThat(header(response, "X-Easyfaas-Request-Id")).matches(UUID_4);
  }

  @Test
  void requestIdOfMoreThan128CharactersIsReplaced() {
    String brn = engine.registry.add("hello", Traits.of("echo"));

    HttpResponse<String> fits =
        engine.send(
            engine.invocation(brn, "x").header("X-Easyfaas-Request-Id", "a".repeat(128)).build());
    HttpResponse<String> tooLong =
        engine.send(
            engine.invocation(brn, "x").header("X-Easyfaas-Request-Id", "a".repeat(129)).build());

    assertThat(header(fits, "X-Easyfaas-Request-Id")).isEqualTo("a".repeat(128));
    assertThat(header(tooLong, "X-Easyfaas-Request-Id")).matches(UUID_4);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "someone-else"})
  void foreignCallerIsRefused(String account) {
    String brn = engine.registry.add("hello", Traits.of("echo"));
    HttpRequest.Builder request =
        HttpRequest.newBuilder(engine.uri("/v1/functions/" + brn + "/invocations"))
            .POST(HttpRequest.BodyPublishers.ofString("x"));
    if (!account.isEmpty()) {
      request.header("X-Easyfaas-Account-Id", account);
    }

    HttpResponse<String> response = engine.send(request.build());

    assertThat(response.statusCode()).isEqualTo(403);
    assertThat(response.body())
        .isEqualTo(
            "{\"Code\":\"InvalidInvokeCallerException\",\"Cause\":\"owner id "
                + Account.DEFAULT.id()
                + " caller id "
                + account
                + "\",\"Message\":\"Invalid caller id\",\"Status\":403,\"Type\":\"User\"}");
    assertThat(header(response, "Content-Type")).isEqualTo("text/plain; charset=utf-8");
    assertThat(header(response, "X-Easyfaas-Function-Error")).isEqualTo("Unhandled");
    assertThat(header(response, "X-Easyfaas-Request-Id")).matches(UUID_4);
  }

  @Test
  void olderSpellingOfTheAccountHeaderIsRead() {
    String brn = engine.registry.add("hello", Traits.of("echo"));
    HttpRequest request =
        HttpRequest.newBuilder(engine.uri("/v1/functions/" + brn + "/invocations"))
            .header("X-Bce-Account-Id", Account.DEFAULT.id())
            .POST(HttpRequest.BodyPublishers.ofString("x"))
            .build();

    assertThat(engine.send(request).body()).isEqualTo("x");
  }

  @Test
  void unknownVersionIsNotFound() {
    HttpResponse<String> response = engine.invoke(brn("nothing", ":7"), "x");

    ErrorDocument error = Json.PASCAL.read(response.body(), ErrorDocument.class);
    assertThat(response.statusCode()).isEqualTo(404);
    assertThat(error.code()).isEqualTo("ResourceNotFoundException");
    assertThat(error.backtrace()).hasSize(1);
  }

  @Test
  void brnWithoutVersionOrWithAliasIsRefused() {
    for (String suffix : List.of("", ":prod")) {
      assertRefused(engine.invoke(brn("hello", suffix), "x"), "invalid brn");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"brn:cloud", "brn:cloud:faas:bj:short:function:f:1", "a%20b", "a:1"})
  void malformedBrnIsRefused(String function) {
    assertRefused(engine.invoke(function, "x"), "invalid brn");
  }

  @Test
  void aliasOnAPlainNameIsRefused() {
    assertRefused(
        engine.send(engine.invocation("hello", "Qualifier=abc", "x").build()),
        "invalid function qualifier");
  }

  @Test
  void plainNameWithoutQualifierIsRefused() {
    assertRefused(engine.invoke("hello", "x"), "missing query parameter Qualifier");
  }

  @ParameterizedTest
  @CsvSource({"event", "stream", "Event"})
  void invokeTypesThatAreNotThereAreNamed(String type) {
    String brn = engine.registry.add("hello", Traits.of("echo"));

    HttpResponse<String> response =
        engine.send(engine.invocation(brn, "x").header("X-Easyfaas-Invoke-Type", type).build());

    ErrorDocument error = Json.PASCAL.read(response.body(), ErrorDocument.class);
    assertThat(response.statusCode()).isEqualTo(501);
    assertThat(error.code()).isEqualTo("NotImplementedException");
    assertThat(error.cause()).isEqualTo("invoke type " + type.toLowerCase(Locale.ROOT));
  }

  @Test
  void functionErrorIsA200WithTheErrorObject() {
    String brn = engine.registry.add("hello", Traits.of("throw"));

    HttpResponse<String> response = engine.invoke(brn, "x");

    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(header(response, "X-Easyfaas-Function-Error")).isEqualTo("Unhandled");
    assertThat(response.body()).startsWith("{\"errorMessage\":\"boom\"");
  }

  @Test
  void tailIsTheLogBetweenStartAndReport() {
    String brn = engine.registry.add("hello", Traits.of("print"));

    HttpResponse<String> response =
        engine.send(
            engine
                .invocation(brn, "to stderr")
                .header("Log-Type", "tail")
                .header("X-Easyfaas-Request-Id", "R1")
                .build());

    assertThat(response.body()).isEqualTo("printed");
    assertThat(tail(response))
        .matches(
            "START RequestID: R1 Version: 1\n"
                + "to stdout\nto stderr\n"
                + "END RequestID: R1\tMemory Spec Size: 128MB\n"
                + "REPORT RequestID: R1\tDuration: [0-9]+m?s\tBilled Duration: [0-9]+m?s\tMax"
                + " Memory Used: 0");
  }

  @Test
  void tailIsTheEndOfALongLog() {
    String brn = engine.registry.add("hello", Traits.of("print"));
    String printed = "x".repeat(5000) + "the end\n";

    HttpResponse<String> response =
        engine.send(engine.invocation(brn, "logType=Tail", printed).build());

    String tail = tail(response);
    String output = tail.substring(tail.indexOf('\n') + 1, tail.indexOf("END RequestID"));
    String note =
        "CUT 922 bytes of output before this are left out\n"; // Of 5008 and "to stdout\n".
    assertThat(output).startsWith(note).hasSize(note.length() + 4096).endsWith("xthe end\n");
  }

  @Test
  void headerLogTypeWinsOverTheQuery() {
    String brn = engine.registry.add("hello", Traits.of("print"));

    HttpResponse<String> response =
        engine.send(engine.invocation(brn, "logType=Tail", "x").header("Log-Type", "None").build());

    assertThat(response.headers().firstValue("X-Bce-Log-Result")).isEmpty();
  }

  @Test
  void logCanComeInTheBody() {
    String brn = engine.registry.add("hello", Traits.of("print"));

    HttpResponse<String> response =
        engine.send(
            engine
                .invocation(brn, "logToBody=true", "line")
                .header("Log-Type", "Tail")
                .header("X-Easyfaas-Request-Id", "R1")
                .build());

    assertThat(header(response, "Content-Type")).isEqualTo("application/json; charset=utf-8");
    assertThat(response.body())
        .startsWith("{\"LogResult\":\"START RequestID: R1 Version: 1\\nto stdout\\nline\\nEND")
        .endsWith("\"Payload\":\"printed\"}");
    assertThat(response.headers().firstValue("X-Bce-Log-Result")).isEmpty();
  }

  @Test
  void functionErrorInTheBodyFormHasNoHeader() {
    String brn = engine.registry.add("hello", Traits.of("throw"));

    HttpResponse<String> response =
        engine.send(engine.invocation(brn, "x").header("Log-To-Body", "true").build());

    assertThat(response.body()).startsWith("{\"FunctionError\":\"Unhandled\",\"Payload\":\"{");
    assertThat(response.headers().firstValue("X-Easyfaas-Function-Error")).isEmpty();
  }

  @Test
  void nativeOutputBelongsToTheOnlyCallInFlight() throws Exception {
    String brn = engine.registry.add("hello", Traits.of("native"));
    var response =
        engine.sendLater(engine.invocation(brn, "from C\n").header("Log-Type", "Tail").build());

    FakeRunner.Call call = engine.funclet.awaitHeld();
    call.answer("done");

    assertThat(tail(TestController.await(response))).contains("\nfrom C\nEND RequestID");
  }

  @Test
  void otherMethodsOnTheInvokePathAreNotAllowed() {
    HttpResponse<String> response = engine.get("/v1/functions/hello/invocations");

    assertThat(response.statusCode()).isEqualTo(405);
    assertThat(header(response, "Allow")).isEqualTo("OPTIONS, POST");
  }

  private static String brn(String name, String suffix) {
    return "brn:cloud:faas:bj:" + Account.DEFAULT.hash() + ":function:" + name + suffix;
  }

  private static void assertRefused(HttpResponse<String> response, String cause) {
    ErrorDocument error = Json.PASCAL.read(response.body(), ErrorDocument.class);
    assertThat(response.statusCode()).isEqualTo(400);
    assertThat(error.code()).isEqualTo("InvalidParameterValueException");
    assertThat(error.cause()).isEqualTo(cause);
  }

  private static String tail(HttpResponse<String> response) {
    return new String(Base64.getDecoder().decode(header(response, "X-Bce-Log-Result")), UTF_8);
  }

  private static String header(HttpResponse<String> response, String name) {
    return response
        .headers()
        .firstValue(name)
        .orElseThrow(() -> new AssertionError(name + " is missing in " + response.headers()));
  }
}
