package io.easyfaas.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// The HTTP API that clients of the first EasyFaaS know: requests as curl would send them, answers
/// to the letter where clients read letters.
@EndToEnd
final class ConformanceIT {
  private static final String NAME = "testHelloWorld";
  private static final String BRN =
      "brn:cloud:faas:bj:8f6e5a28c663957ea04522547a66d08f:function:testHelloWorld:1";
  private static final Duration SOON = Duration.ofSeconds(10);
  private static final byte[] CODE =
      new Zip()
          .file(
              "index.js",
              "exports.handler = (event, context, callback) => callback(null, 'Hello world!');")
          .bytes();

  @RegisterExtension private static final Leaks LEAKS = new Leaks();
  private static EngineProcess engine;

  @BeforeAll
  static void start() {
    engine = LEAKS.start("--container-num=2", "--max-queue-wait=500ms");
    assertThat(create(NAME, helloWorld()).status()).isEqualTo(200);
  }

  @Test
  void createAnswersOkWithAnEmptyBody() {
    Answer answer = create("another", helloWorld());

    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.header("Content-Length")).contains("0");
    assertThat(answer.text()).isEmpty();
  }

  @Test
  void getByBrnAnswersTheDocument() {
    Answer answer = engine.send(engine.registry("/v1/functions/" + BRN).GET());

    assertThat(answer.status()).isEqualTo(200);
    JsonNode document = answer.json();
    assertThat(document.at("/Code/RepositoryType").asString()).isEqualTo("filesystem");
    assertThat(document.at("/Code/Location").asString()).endsWith(".zip");
    assertThat(document.has("Concurrency")).isTrue();
    assertThat(document.has("LogConfig")).isTrue();
    JsonNode configuration = document.get("Configuration");
    assertThat(configuration.get("CodeSha256").asString()).isEqualTo(sha256(CODE));
    assertThat(configuration.get("CodeSize").asInt()).isEqualTo(CODE.length);
    assertThat(configuration.get("FunctionArn").asString()).isEqualTo(BRN);
    assertThat(configuration.get("FunctionName").asString()).isEqualTo(NAME);
    assertThat(configuration.get("Handler").asString()).isEqualTo("index.handler");
    assertThat(configuration.get("Version").asString()).isEqualTo("1");
    assertThat(configuration.get("Runtime").asString()).isEqualTo("nodejs10");
    assertThat(configuration.get("MemorySize").asInt()).isEqualTo(128);
    assertThat(configuration.get("Timeout").asInt()).isEqualTo(5);
    assertThat(configuration.get("PodConcurrentQuota").asInt()).isEqualTo(10);
    assertThat(configuration.get("Uid").asString()).isEqualTo(EngineProcess.ACCOUNT);
    assertThat(configuration.get("CommitId").asString()).isNotEmpty();
    assertThat(configuration.get("LastModified").asString()).startsWith("20");
  }

  @ParameterizedTest
  @ValueSource(strings = {"X-easyfaas-Account-Id", "X-Bce-Account-Id", "x-easyfaas-account-id"})
  void invokeByBrnAnswersWhatTheHandlerSays(String accountHeader) {
    Answer answer = engine.send(invocation(BRN).header(accountHeader, EngineProcess.ACCOUNT));

    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.text()).isEqualTo("Hello world!");
    assertThat(answer.header("X-easyfaas-Request-Id")).get().asString().isNotBlank();
    assertThat(answer.header("X-easyfaas-Function-Exectime"))
        .get()
        .asString()
        .matches("\\d+\\.\\d{3}");
    assertThat(answer.isFailed()).isFalse();
    assertThat(answer.header("Content-Length")).contains("12");
  }

  @ParameterizedTest
  @ValueSource(strings = {"X-easyfaas-Request-Id", "X-Bce-Request-Id"})
  void theCallersRequestIdComesBack(String header) {
    Answer answer = engine.send(owned(BRN).header(header, "id-of-the-caller"));

    assertThat(answer.header("X-easyfaas-Request-Id")).contains("id-of-the-caller");
  }

  @Test
  void aPercentEncodedBrnIsTheSameBrn() {
    Answer answer = engine.send(owned(BRN.replace(":", "%3A")));

    assertThat(answer.text()).isEqualTo("Hello world!");
  }

  @Test
  void aPlainNameNeedsAQualifier() {
    assertThat(engine.send(ownedPath(NAME + "/invocations?Qualifier=1")).text())
        .isEqualTo("Hello world!");
    assertThat(engine.send(owned(NAME)).status()).isEqualTo(400);
    assertThat(engine.send(owned(NAME)).text())
        .contains("\"Cause\":\"missing query parameter Qualifier\"");
  }

  @Test
  void aCallerWithoutAnAccountIsRefused() {
    Answer answer = engine.send(invocation(BRN));

    assertThat(answer.status()).isEqualTo(403);
    assertThat(answer.text())
        .isEqualTo(
            "{\"Code\":\"InvalidInvokeCallerException\",\"Cause\":\"owner id "
                + EngineProcess.ACCOUNT
                + " caller id \",\"Message\":\"Invalid caller id\",\"Status\":403,"
                + "\"Type\":\"User\"}");
    assertThat(answer.header("X-easyfaas-Function-Error")).contains("Unhandled");
    assertThat(answer.header("X-easyfaas-Request-Id")).isPresent();
  }

  @ParameterizedTest
  @ValueSource(strings = {"X-easyfaas-Account-Id", "X-Bce-Account-Id"})
  void anotherAccountIsRefused(String header) {
    Answer answer = engine.send(invocation(BRN).header(header, "somebody"));

    assertThat(answer.status()).isEqualTo(403);
    assertThat(answer.json().get("Cause").asString())
        .isEqualTo("owner id " + EngineProcess.ACCOUNT + " caller id somebody");
  }

  @Test
  void anUnknownVersionIsNotFound() {
    Answer answer = engine.send(owned(EngineProcess.brn(NAME, "77")));

    assertThat(answer.status()).isEqualTo(404);
    assertThat(answer.json().get("Code").asString()).isEqualTo("ResourceNotFoundException");
    assertThat(answer.json().get("Cause").asString())
        .isEqualTo("get function from data storer failed");
    assertThat(answer.json().at("/Backtrace/0/Message").asString()).contains(NAME);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "brn:cloud:faas:bj:8f6e5a28c663957ea04522547a66d08f:function:testHelloWorld",
        "brn:cloud:faas:bj:8f6e5a28c663957ea04522547a66d08f:function:testHelloWorld:stable"
      })
  void aBrnWithoutAVersionIsRefused(String brn) {
    Answer answer = engine.send(owned(brn));

    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.json().get("Code").asString()).isEqualTo("InvalidParameterValueException");
    assertThat(answer.json().get("Cause").asString()).isEqualTo("invalid brn");
  }

  @Test
  void aQualifierThatIsNoVersionIsRefused() {
    Answer answer = engine.send(ownedPath(NAME + "/invocations?Qualifier=abc"));

    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.json().get("Cause").asString()).isEqualTo("invalid function qualifier");
  }

  @Test
  void theLogTailHasStartOutputEndAndReport() {
    engine.create(
        FunctionSpec.node(
            "talks",
            "exports.handler = async () => { console.log('said by the function'); return 1; };"));

    Answer answer =
        engine.invoke("talks", "{}", "Log-Type", "Tail", "X-easyfaas-Request-Id", "tail-1");

    assertThat(answer.text()).isEqualTo("1");
    List<String> lines = answer.log().lines().toList();
    assertThat(lines).hasSize(4);
    assertThat(lines.get(0)).isEqualTo("START RequestID: tail-1 Version: $LATEST");
    assertThat(lines.get(1)).endsWith("said by the function");
    assertThat(lines.get(2)).isEqualTo("END RequestID: tail-1\tMemory Spec Size: 128MB");
    assertThat(lines.get(3))
        .matches(
            "REPORT RequestID: tail-1\tDuration: \\S+\tBilled Duration: \\S+\t"
                + "Max Memory Used: \\S+");
  }

  @Test
  void theLogTailIsTheEndOfALongLog() {
    engine.create(
        FunctionSpec.node(
            "talks-a-lot",
            """
            exports.handler = async () => {
              for (let i = 0; i < 2000; i++) console.log(`line ${i} of many`);
              return 'done';
            };
            """));

    String log = engine.invoke("talks-a-lot", "{}", "Log-Type", "Tail").log();

    assertThat(log).contains("line 1999 of many").doesNotContain("line 1000 of many");
    assertThat(log)
        .matches(
            "(?s)START RequestID: \\S+ Version: \\S+\nCUT \\d+ bytes of output before this are left out\n.*")
        .contains("\nEND RequestID: ");
  }

  @Test
  void logToBodyPutsPayloadAndLogIntoOneDocument() {
    Answer answer =
        engine.send(owned(BRN).header("Log-Type", "Tail").header("Log-To-Body", "true"));

    assertThat(answer.header("Content-Type")).contains("application/json; charset=utf-8");
    assertThat(answer.json().propertyNames()).containsExactly("LogResult", "Payload");
    assertThat(answer.json().get("Payload").asString()).isEqualTo("Hello world!");
    assertThat(answer.json().get("LogResult").asString()).startsWith("START RequestID: ");
    assertThat(answer.header("X-Bce-Log-Result")).isEmpty();
  }

  @Test
  void theLogSwitchesWorkInTheQueryToo() {
    Answer answer =
        engine.send(ownedPath(NAME + "/invocations?Qualifier=1&logType=Tail&logToBody=true"));

    assertThat(answer.json().get("LogResult").asString()).contains("END RequestID: ");
  }

  @Test
  void aFailingFunctionAnswersOkWithTheErrorObject() {
    engine.create(
        FunctionSpec.node(
            "throws", "exports.handler = async () => { throw new TypeError('no such luck'); };"));

    Answer answer = engine.invoke("throws", "{}");

    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.header("X-easyfaas-Function-Error")).contains("Unhandled");
    assertThat(answer.header("X-easyfaas-Function-Exectime")).isPresent();
    assertThat(answer.json().propertyNames())
        .containsExactly("errorMessage", "errorType", "stackTrace");
    assertThat(answer.json().get("errorMessage").asString()).isEqualTo("no such luck");
    assertThat(answer.json().get("errorType").asString()).isEqualTo("TypeError");
  }

  @Test
  void aFunctionThatTakesTooLongAnswersOkWithATimeout() {
    engine.create(
        FunctionSpec.node(
                "sleeps", "exports.handler = () => new Promise(() => setTimeout(() => {}, 6e4));")
            .withTimeout(1));

    Answer answer = engine.invoke("sleeps", "{}", "X-easyfaas-Request-Id", "late-1");

    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.header("X-easyfaas-Function-Error")).contains("Unhandled");
    assertThat(answer.json().get("errorMessage").asString())
        .isEqualTo("late-1 Task timed out after 1 seconds");
  }

  @Test
  void aFunctionThatExitsAnswersOkWithThatItExited() {
    engine.create(FunctionSpec.node("exits", "exports.handler = async () => process.exit(3);"));

    Answer answer = engine.invoke("exits", "{}", "X-easyfaas-Request-Id", "exit-1");

    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.header("X-easyfaas-Function-Error")).contains("Unhandled");
    assertThat(answer.text())
        .contains("RequestID: exit-1 Process exited before completing request: exit status 3");
  }

  @Test
  void moreCallsThanSlotsAreRefusedAsEmptyRuntime() {
    engine.create(
        FunctionSpec.node(
                "holds", "exports.handler = () => new Promise((r) => setTimeout(r, 3000, 'held'));")
            .withTimeout(10));
    List<CompletableFuture<Answer>> holders = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      holders.add(engine.invokeAsync("holds", "{}"));
    }
    Eventually.isTrue("both slots are busy", SOON, () -> inFlight().equals(List.of(1, 1)));

    Answer refused = engine.invoke("holds", "{}");

    assertThat(refused.status()).isEqualTo(429);
    assertThat(refused.json().get("Code").asString()).isEqualTo("TooManyRequestsException");
    assertThat(refused.json().get("Cause").asString()).isEqualTo("empty runtime");
    assertThat(refused.header("Retry-After")).get().asString().matches("\\d+");
    assertThat(holders).allSatisfy(call -> assertThat(call.join().text()).isEqualTo("held"));
  }

  @Test
  void aQuotaOfTenTakesTenCallsInOneSlot() {
    engine.create(
        FunctionSpec.node(
                "barrier",
                """
                const here = require('crypto').randomUUID();
                const waiting = [];
                exports.handler = () => new Promise((resolve) => {
                  waiting.push(resolve);
                  if (waiting.length === 10) waiting.splice(0).forEach((each) => each(here));
                });
                """)
            .withQuota(10)
            .withTimeout(20));

    List<CompletableFuture<Answer>> calls = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      calls.add(engine.invokeAsync("barrier", "{}"));
    }

    assertThat(calls).allSatisfy(call -> assertThat(call.join().isFailed()).isFalse());
    assertThat(calls.stream().map(call -> call.join().text()).distinct())
        .describedAs("sandboxes")
        .hasSize(1);
  }

  @Test
  void runtimesAreListedWithTheMembersClientsRead() {
    JsonNode slot = engine.slots().getFirst();

    assertThat(slot.propertyNames())
        .contains(
            "RuntimeID",
            "State",
            "used",
            "marked",
            "abnormal",
            "abnormalTimes",
            "Resource",
            "CommitID",
            "ConcurrentMode",
            "Concurrency",
            "LastAccessTime");
    assertThat(engine.slots())
        .extracting(each -> each.get("RuntimeID").asString())
        .isSorted()
        .doesNotHaveDuplicates();
  }

  @Test
  void theResourceDocumentSaysWhatIsUsed() {
    engine.send(owned(BRN));

    JsonNode resource = engine.send(engine.controller("/v1/resource").GET()).json();

    assertThat(resource.at("/Allocatable/Memory").asLong()).isPositive();
    assertThat(resource.at("/Capacity/Memory").asLong())
        .isGreaterThanOrEqualTo(resource.at("/Allocatable/Memory").asLong());
    assertThat(resource.at("/Marked/Memory").asLong()).isPositive();
    assertThat(resource.has("Used")).isTrue();
    assertThat(resource.has("Default")).isTrue();
    assertThat(resource.get("BaseMemory").asLong()).isEqualTo(128 << 20);
  }

  @Test
  void invalidatingAnUnknownRuntimeIsNotFound() {
    Answer answer = invalidate("no-such-runtime");

    assertThat(answer.status()).isEqualTo(404);
    assertThat(answer.text()).contains("no-such-runtime");
  }

  @Test
  void anInvalidatedRuntimeIsAbnormalUntilItsCallsAreDoneAndIsThenReplaced() {
    engine.create(
        FunctionSpec.node(
                "gate",
                """
                let open = () => {};
                exports.handler = (event) => {
                  if (event.open) return open('opened'), 'ok';
                  return new Promise((resolve) => { open = resolve; setTimeout(resolve, 2000, 'late'); });
                };
                """)
            .withQuota(2)
            .withTimeout(10));
    CompletableFuture<Answer> held = engine.invokeAsync("gate", "{}");
    String busy =
        Eventually.value(
            "a slot is busy",
            SOON,
            () ->
                engine.slots().stream()
                    .filter(slot -> slot.get("Concurrency").asInt() == 1)
                    .map(slot -> slot.get("RuntimeID").asString())
                    .findAny());

    Answer answer = invalidate(busy);

    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.text()).isEmpty();
    assertThat(slot(busy).get("abnormal").asBoolean()).isTrue();
    assertThat(held.join().text()).isEqualTo("late");
    Eventually.holds(
        SOON,
        () -> {
          assertThat(slot(busy).get("State").asString()).isEqualTo("cold");
          assertThat(slot(busy).get("abnormal").asBoolean()).isFalse();
        });
  }

  @Test
  void theControllerTellsThatItIsHealthy() {
    Answer answer = engine.send(engine.controller("/healthz").GET());

    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.text()).isEqualTo("hello controller");
  }

  @Test
  void metricsAreInPrometheusText() {
    engine.send(owned(BRN));

    Answer answer = engine.send(engine.controller("/metrics").GET());

    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.text()).contains("# TYPE ").contains("\n# HELP ");
  }

  @Test
  void unknownPathsAndMethodsAreTold() {
    Answer unknown = engine.send(engine.controller("/v1/nothing").GET());
    Answer method = engine.send(engine.controller("/v1/runtimes").DELETE());

    assertThat(unknown.status()).isEqualTo(404);
    assertThat(method.status()).isEqualTo(405);
    assertThat(method.header("Allow")).get().asString().contains("GET");
  }

  private static String helloWorld() {
    return Answer.write(
        Map.of(
            "Version",
            "1",
            "Description",
            "stubs create",
            "Runtime",
            "nodejs10",
            "Timeout",
            5,
            "MemorySize",
            128,
            "Handler",
            "index.handler",
            "PodConcurrentQuota",
            10,
            "Code",
            Base64.getEncoder().encodeToString(CODE)));
  }

  private static Answer create(String name, String document) {
    return engine.send(
        engine
            .registry("/v1/functions/" + name)
            .header("X-easyfaas-Account-Id", EngineProcess.ACCOUNT)
            .POST(BodyPublishers.ofString(document, UTF_8)));
  }

  private static HttpRequest.Builder invocation(String function) {
    return engine
        .controller("/v1/functions/" + function + "/invocations")
        .POST(BodyPublishers.ofString("{}"));
  }

  private static HttpRequest.Builder owned(String function) {
    return invocation(function).header("X-easyfaas-Account-Id", EngineProcess.ACCOUNT);
  }

  private static HttpRequest.Builder ownedPath(String pathAndQuery) {
    return engine
        .controller("/v1/functions/" + pathAndQuery)
        .POST(BodyPublishers.ofString("{}"))
        .header("X-easyfaas-Account-Id", EngineProcess.ACCOUNT);
  }

  private static Answer invalidate(String runtime) {
    return engine.send(
        engine.controller("/v1/runtimes/" + runtime + "/invalidate").POST(BodyPublishers.noBody()));
  }

  private static JsonNode slot(String id) {
    return engine.slots().stream()
        .filter(slot -> slot.get("RuntimeID").asString().equals(id))
        .findAny()
        .orElseThrow();
  }

  private static List<Integer> inFlight() {
    return engine.slots().stream().map(slot -> slot.get("Concurrency").asInt()).toList();
  }

  private static String sha256(byte[] bytes) {
    try {
      return Base64.getEncoder().encodeToString(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
