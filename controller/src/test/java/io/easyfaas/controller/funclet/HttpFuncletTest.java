package io.easyfaas.controller.funclet;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.easyfaas.common.function.FunctionDocument;
import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.common.http.EventLoops;
import io.easyfaas.common.http.HttpAddress;
import io.easyfaas.common.http.HttpClient;
import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.http.HttpServer;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ChannelAddress;
import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.common.wire.ContainerInfo;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.wire.ErrorDocument;
import io.easyfaas.common.wire.FreezeRequest;
import io.easyfaas.common.wire.FuncletNode;
import io.easyfaas.common.wire.PrewarmRequest;
import io.easyfaas.common.wire.ResetRequest;
import io.easyfaas.common.wire.ResetResponse;
import io.easyfaas.common.wire.Resource;
import io.easyfaas.common.wire.RunnerExit;
import io.easyfaas.common.wire.WarmupRequest;
import io.easyfaas.controller.FakeRegistry;
import io.easyfaas.controller.FakeRegistry.Traits;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Against a server on a unix socket that answers as funclet would, and keeps what it was asked.
class HttpFuncletTest {
  private static final ContainerId C0 = new ContainerId("pod-controller-c0");
  private static final RuntimeConfiguration RUNTIME =
      new RuntimeConfiguration("nodejs20", "/bin/node", "/r", List.of("-x"), List.of("node"));
  private static final String RUNTIME_DOCUMENT =
      """
      {"Name":"nodejs20","Bin":"/bin/node","Path":"/r","Args":["-x"],"Aliases":["node"]}\
      """;
  private static final ChannelAddress CHANNEL =
      new ChannelAddress("/run/0.sock", "0f".repeat(16), 0);
  private static final ContainerInfo CONTAINER =
      new ContainerInfo("c0", C0, 7, 2, "warm", "", true, new Resource(100, 1 << 27), null, "");
  private static final String CONTAINER_DOCUMENT =
      """
      {"Hostname":"c0","ContainerID":"pod-controller-c0","HostPid":7,"Generation":2,\
      "State":"warm","CurrentEvent":"","IsFrozen":true,\
      "Resource":{"MilliCPUs":100,"Memory":134217728},"ResourceStats":null,"Reason":""}\
      """;

  private static final int MAX_ANSWER_BYTES = 64 * 1024;

  private final List<HttpRequest> requests = new CopyOnWriteArrayList<>();
  private volatile CountDownLatch slow = new CountDownLatch(0);
  private volatile HttpResponse answer = HttpResponse.empty(200);
  private final EventLoops loops = new EventLoops(1);
  private HttpServer server;
  private HttpClient client;
  private HttpFunclet funclet;

  @BeforeEach
  void start(@TempDir Path directory) {
    HttpAddress address = new HttpAddress.Unix(directory.resolve("funclet.sock"));
    server =
        HttpServer.start(
            address,
            loops,
            1 << 20,
            request -> {
              requests.add(request);
              return request.target().endsWith("/reborn") ? late() : answer;
            });
    client = new HttpClient(address, loops, MAX_ANSWER_BYTES);
    funclet = new HttpFunclet(client);
  }

  @AfterEach
  void stop() {
    slow.countDown();
    client.close();
    server.close();
    loops.close();
  }

  @Test
  void nodeIsAskedFor() {
    answers(
        """
        {"Resource":{"BaseMemory":1,"Default":{"MilliCPUs":2,"Memory":3},
         "Capacity":{"MilliCPUs":4,"Memory":5},"Reserved":{"MilliCPUs":6,"Memory":7},
         "Allocatable":{"MilliCPUs":8,"Memory":9},"Used":{"MilliCPUs":10,"Memory":11}}}\
        """);

    assertThat(funclet.node())
        .isEqualTo(
            new FuncletNode(
                new FuncletNode.FuncletResource(
                    1,
                    new Resource(2, 3),
                    new Resource(4, 5),
                    new Resource(6, 7),
                    new Resource(8, 9),
                    new Resource(10, 11)),
                null));
    assertGot("/v1/funclet/node");
  }

  @Test
  void everyContainerIsAskedFor() {
    answers("[" + CONTAINER_DOCUMENT + "]");

    assertThat(funclet.list()).containsExactly(CONTAINER);
    assertGot("/v1/funclet/list");
  }

  @Test
  void oneContainerIsAskedForByItsId() {
    answers(CONTAINER_DOCUMENT);

    assertThat(funclet.container(C0)).isEqualTo(CONTAINER);
    assertGot("/v1/funclet/container/pod-controller-c0");
  }

  @Test
  void prewarmTellsTheRuntime() {
    answers("{\"Container\":" + CONTAINER_DOCUMENT + "}");

    assertThat(funclet.prewarm(new PrewarmRequest(C0, "R1", RUNTIME, CHANNEL)).container())
        .isEqualTo(CONTAINER);
    assertPosted(
        "/v1/funclet/prewarm",
        "{\"ContainerID\":\"pod-controller-c0\",\"RequestID\":\"R1\",\"RuntimeConfiguration\":"
            + RUNTIME_DOCUMENT
            + ",\"Channel\":{\"Socket\":\"/run/0.sock\",\"Token\":\""
            + "0f".repeat(16)
            + "\",\"ListenPort\":0}}");
  }

  @Test
  void warmupTellsTheCodeTheRevisionAndTheRuntime() {
    FunctionDocument function = FakeRegistry.document("f", "brn:f", Traits.of("echo"));
    WarmupRequest request =
        new WarmupRequest(C0, "R1", function.code(), function.configuration(), RUNTIME, null);
    answers("{\"Container\":" + CONTAINER_DOCUMENT + "}");

    assertThat(funclet.warmup(request).container()).isEqualTo(CONTAINER);
    String sent = requests.getFirst().text();
    assertPosted("/v1/funclet/warmup", sent);
    assertThat(sent)
        .startsWith("{\"ContainerID\":\"pod-controller-c0\",\"RequestID\":\"R1\",\"Code\":{")
        .contains("\"Location\":\"/code/f.zip\"", "\"Configuration\":{", "\"FunctionName\":\"f\"")
        .endsWith("\"RuntimeConfiguration\":" + RUNTIME_DOCUMENT + "}");
    assertThat(Json.PASCAL.read(sent.getBytes(UTF_8), WarmupRequest.class)).isEqualTo(request);
  }

  @Test
  void freezeAndThawTellTheContainer() {
    answers("\"\"");

    funclet.freeze(new FreezeRequest(C0, "R1"));
    assertPosted(
        "/v1/funclet/freeze", "{\"ContainerID\":\"pod-controller-c0\",\"RequestID\":\"R1\"}");
    requests.clear();
    funclet.thaw(new FreezeRequest(C0, "R1"));
    assertPosted(
        "/v1/funclet/thaw", "{\"ContainerID\":\"pod-controller-c0\",\"RequestID\":\"R1\"}");
  }

  @Test
  void cooldownTellsWhyAndIsToldHowTheRunnerEnded() {
    answers(
        "{\"Container\":"
            + CONTAINER_DOCUMENT
            + ",\"Exit\":{\"Code\":137,\"Signal\":9,\"OutOfMemory\":true},\"WasEmpty\":false}");

    assertThat(funclet.cooldown(new ResetRequest(C0, "R1", "idle")))
        .isEqualTo(new ResetResponse(CONTAINER, new RunnerExit(137, 9, true), false));
    assertPosted(
        "/v1/funclet/cooldown",
        "{\"ContainerID\":\"pod-controller-c0\",\"RequestID\":\"R1\",\"Reason\":\"idle\"}");
  }

  @Test
  void rebornTellsWhyAndRunnersThatDidNotEndHaveNoExit() {
    answers("{\"Container\":" + CONTAINER_DOCUMENT + ",\"WasEmpty\":true}");

    assertThat(funclet.reborn(new ResetRequest(C0, "R1", "timeout")))
        .isEqualTo(new ResetResponse(CONTAINER, null, true));
    assertPosted(
        "/v1/funclet/reborn",
        "{\"ContainerID\":\"pod-controller-c0\",\"RequestID\":\"R1\",\"Reason\":\"timeout\"}");
  }

  @Test
  void errorDocumentsComeBackAsTheyWereThrown() {
    ApiException thrown =
        new ApiException(
            ErrorCode.RESOURCE_CONFLICT, "container c0 is busy", List.of("outer", "inner"));
    answer = HttpResponse.error(thrown);

    for (Runnable call :
        List.<Runnable>of(
            () -> funclet.container(C0),
            () -> funclet.freeze(new FreezeRequest(C0, "R1")),
            () -> funclet.cooldown(new ResetRequest(C0, "R1", "idle")))) {
      ApiException got = failure(call);
      assertThat(got.code()).isEqualTo(ErrorCode.RESOURCE_CONFLICT);
      assertThat(got.document()).isEqualTo(thrown.document());
    }
  }

  @Test
  void errorsThatAreNoDocumentsKeepTheirStatusAndText() {
    answer = HttpResponse.text(502, "bad gateway");

    assertServiceFailure("funclet answered 502: bad gateway");
  }

  @Test
  void codesThatNobodyKnowsAreFailuresOfTheService() {
    answer = HttpResponse.json(418, "{\"Code\":\"Teapot\",\"Message\":\"m\"}".getBytes(UTF_8));

    assertThat(failure(funclet::node).code()).isEqualTo(ErrorCode.SERVICE);
  }

  @Test
  void answersThatAreNoDocumentsAreFailures() {
    answers("{");

    assertThat(failure(funclet::node).document().backtrace())
        .singleElement()
        .extracting(ErrorDocument::message)
        .asString()
        .startsWith("funclet's answer: ");
  }

  @Test
  void funcletThatIsGoneIsAFailureThatNamesItsSocket() {
    server.close();

    ApiException failure = failure(funclet::node);

    assertThat(failure.code()).isEqualTo(ErrorCode.UNAVAILABLE);
    assertThat(failure.document().backtrace())
        .singleElement()
        .extracting(ErrorDocument::message)
        .asString()
        .startsWith("funclet: ")
        .contains("funclet.sock");
    assertThat(funclet.isGone()).isTrue();
  }

  @Test
  void funcletThatSaysTooMuchIsNotGone() {
    answers("[\"" + "x".repeat(MAX_ANSWER_BYTES) + "\"]");

    ApiException failure = failure(funclet::list);

    assertThat(failure.code()).isEqualTo(ErrorCode.UNAVAILABLE);
    assertThat(funclet.isGone()).isFalse();
  }

  @Test
  void funcletThatIsSlowWithOneRequestIsNotGone() throws Exception {
    HttpFunclet impatient = new HttpFunclet(client, Duration.ofMillis(500));
    slow = new CountDownLatch(1);
    CompletableFuture<ApiException> slowReset =
        CompletableFuture.supplyAsync(
            () -> failure(() -> impatient.reborn(new ResetRequest(C0, "R1", "timeout"))));
    while (requests.isEmpty()) {
      Thread.sleep(1);
    }
    answers("[]");

    assertThat(impatient.list()).isEmpty();

    assertThat(slowReset.get(20, TimeUnit.SECONDS).code()).isEqualTo(ErrorCode.UNAVAILABLE);
    assertThat(impatient.isGone()).isFalse();
  }

  @Test
  void funcletThatAnswersNobodyIsGone() {
    HttpFunclet impatient = new HttpFunclet(client, Duration.ofMillis(1));
    slow = new CountDownLatch(1);

    ApiException failure = failure(() -> impatient.reborn(new ResetRequest(C0, "R1", "timeout")));

    assertThat(failure.code()).isEqualTo(ErrorCode.UNAVAILABLE);
    assertThat(impatient.isGone()).isTrue();
  }

  private HttpResponse late() {
    try {
      slow.await();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
    return answer;
  }

  private void answers(String document) {
    answer = HttpResponse.json(200, document.getBytes(UTF_8));
  }

  private void assertGot(String target) {
    HttpRequest request = onlyRequest();
    assertThat(request.method()).isEqualTo("GET");
    assertThat(request.target()).isEqualTo(target);
    assertThat(request.body()).isEmpty();
  }

  private void assertPosted(String target, String body) {
    HttpRequest request = onlyRequest();
    assertThat(request.method()).isEqualTo("POST");
    assertThat(request.target()).isEqualTo(target);
    assertThat(request.text()).isEqualTo(body);
    assertThat(request.header("Content-Type")).hasValue("application/json");
    assertThat(request.header("X-Easyfaas-Request-Id")).hasValue("R1");
  }

  private HttpRequest onlyRequest() {
    assertThat(requests).hasSize(1);
    return requests.getFirst();
  }

  private void assertServiceFailure(String message) {
    ApiException failure = failure(funclet::node);
    assertThat(failure.code()).isEqualTo(ErrorCode.SERVICE);
    assertThat(failure.document().backtrace())
        .extracting(ErrorDocument::message)
        .containsExactly(message);
  }

  private static ApiException failure(Runnable call) {
    return catchThrowableOfType(ApiException.class, call::run);
  }
}
