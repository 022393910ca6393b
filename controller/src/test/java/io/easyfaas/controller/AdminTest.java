package io.easyfaas.controller;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.json.Json;
import io.easyfaas.common.wire.RuntimeInfo;
import io.easyfaas.common.wire.ServiceResource;
import io.easyfaas.controller.FakeRegistry.Traits;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class AdminTest {
  private final TestController engine = new TestController(2, 512);

  @AfterEach
  void stop() {
    engine.close();
  }

  @Test
  void healthIsOneLine() {
    assertThat(engine.get("/healthz").body()).isEqualTo("hello controller");
  }

  @Test
  void readinessTellsWhyNot() {
    assertThat(engine.get("/readyz").statusCode()).isEqualTo(200);
    assertThat(engine.get("/readyz").body()).isEqualTo("{\"Ready\":true,\"Reasons\":[]}");

    engine.controller.warden().pool().close();

    assertThat(engine.get("/readyz").statusCode()).isEqualTo(503);
    assertThat(engine.get("/readyz").body())
        .isEqualTo("{\"Ready\":false,\"Reasons\":[\"draining\"]}");
    assertThat(engine.get("/healthz").statusCode()).as("it is alive").isEqualTo(200);
  }

  @Test
  void aSandboxIsTriedAtTheStart() {
    try (TestController tried = new TestController(2, 256, 1, FakeFunclet::offerProbe)) {
      TestController.until("it is ready", () -> tried.get("/readyz").statusCode() == 200);

      assertThat(tried.funclet.prewarms()).hasSize(1);
      TestController.until(
          "the sandbox is new", () -> tried.states().equals(List.of("cold", "cold")));
    }
  }

  @Test
  void anEngineWhoseSandboxesTakeNoCodeIsNotReady() {
    try (TestController broken =
        new TestController(
            2,
            256,
            1,
            funclet -> {
              funclet.offerProbe();
              funclet.failPrewarms(1);
            })) {
      TestController.until(
          "it is found out",
          () ->
              broken
                  .get("/readyz")
                  .body()
                  .equals("{\"Ready\":false,\"Reasons\":[\"no-sandbox\"]}"));

      broken.pass(Duration.ofSeconds(5));

      TestController.until("it is ready", () -> broken.get("/readyz").statusCode() == 200);
    }
  }

  @Test
  void runtimesAreListedBySlotWithTheirExactMembers() throws Exception {
    String brn = engine.registry.add("hold", Traits.of("hold").concurrency(3));
    var response = engine.invokeLater(brn, "x");
    FakeRunner.Call call = engine.funclet.awaitHeld();

    HttpResponse<String> list = engine.get("/v1/runtimes");

    assertThat(list.headers().firstValue("Content-Type")).hasValue("text/plain; charset=utf-8");
    assertThat(list.body())
        .startsWith(
            "[{\"RuntimeID\":\"pod-controller-c0\",\"State\":\"warm\",\"used\":true,"
                + "\"marked\":true,\"abnormal\":false,\"abnormalTimes\":0,"
                + "\"Resource\":{\"MilliCPUs\":1000,\"Memory\":134217728},"
                + "\"UserID\":\"df391b08c64c426a81645468c75163a5\",\"CommitID\":\"commit-of-hold\","
                + "\"MemorySize\":128,\"ConcurrentMode\":true,\"DefaultConcurrentMode\":true,"
                + "\"Concurrency\":1,\"WithStreamMode\":false,\"WaitRuntimeAliveTimeout\":10,"
                + "\"PreLoadTimeMS\":");
    List<RuntimeInfo> runtimes =
        Json.PASCAL.readList(list.body().getBytes(StandardCharsets.UTF_8), RuntimeInfo.class);
    assertThat(runtimes).hasSize(2);
    assertThat(runtimes.get(0).acceptReqCnt()).isEqualTo(1);
    assertThat(runtimes.get(0).postInitTimeMS())
        .isGreaterThanOrEqualTo(runtimes.get(0).preLoadTimeMS());
    assertThat(runtimes.get(1).state()).isEqualTo("cold");
    assertThat(runtimes.get(1).lastAccessTime()).isEqualTo("0001-01-01T00:00:00Z");
    call.answer("ok");
    TestController.await(response);
  }

  @Test
  void resourceShowsWhatIsReservedAndUsed() {
    String brn = engine.registry.add("hello", Traits.of("echo").memory(256));
    engine.invoke(brn, "x");

    ServiceResource resource =
        Json.PASCAL.read(engine.get("/v1/resource").body(), ServiceResource.class);

    assertThat(resource.marked().memory()).isEqualTo(256L << 20);
    assertThat(resource.used().memory()).isEqualTo(256L << 20);
    assertThat(resource.allocatable().memory()).isEqualTo(512L << 20);
    assertThat(resource.baseMemory()).isEqualTo(128L << 20);
  }

  @Test
  void movesOfSlotsAreCountedByReason() {
    String brn = engine.registry.add("hello", Traits.of("echo"));
    engine.invoke(brn, "x");

    assertThat(engine.get("/metrics").body())
        .contains("easyfaas_slot_moves_total{from=\"cold\",reason=\"call\",to=\"warmup\"} 1.0")
        .contains(
            "easyfaas_slot_moves_total{from=\"warmup\",reason=\"connected\",to=\"warm\"} 1.0");
  }

  @Test
  void invalidatingAnUnknownContainerIsNotFoundAndSaidOnce() {
    HttpResponse<String> response = invalidate("nothing");

    assertThat(response.statusCode()).isEqualTo(404);
    assertThat(response.body()).contains("can not find runtime nothing");
  }

  @Test
  void invalidatingAnIdleSlotResetsIt() {
    String brn = engine.registry.add("hello", Traits.of("echo"));
    engine.invoke(brn, "x");

    assertThat(invalidate("pod-controller-c0").statusCode()).isEqualTo(200);

    TestController.until("slot is reset", () -> engine.funclet.resets().size() == 1);
    TestController.until("slot is cold", () -> engine.states().equals(List.of("cold", "cold")));
  }

  @Test
  void invalidatingABusySlotShowsItAbnormalAndResetsItAfterItsCall() throws Exception {
    String brn = engine.registry.add("hold", Traits.of("hold"));
    var response = engine.invokeLater(brn, "x");
    FakeRunner.Call call = engine.funclet.awaitHeld();

    invalidate("pod-controller-c0");

    assertThat(engine.get("/v1/runtimes").body()).contains("\"abnormal\":true");
    assertThat(engine.funclet.resets()).isEmpty();
    call.answer("ok");
    assertThat(TestController.await(response).body()).isEqualTo("ok");
    TestController.until("slot is reset", () -> engine.funclet.resets().size() == 1);
  }

  @Test
  void metricsHaveTheKnownNamesAndCountCalls() {
    String brn = engine.registry.add("hello", Traits.of("echo"));
    engine.invoke(brn, "x");
    engine.invoke(brn, "x");

    HttpResponse<String> page = engine.get("/metrics");

    assertThat(page.headers().firstValue("Content-Type"))
        .hasValueSatisfying(type -> assertThat(type).startsWith("text/plain; version=0.0.4"));
    assertThat(page.body())
        .contains("controller_invoke_get_pod_warm_bucket{le=\"10.0\"}")
        .contains("controller_invoke_get_pod_warm_count 1")
        .contains("controller_invoke_get_pod_cold_count 1")
        .contains("controller_invoke_invoke_count 2")
        .contains("controller_invoke_invoke_latencies_count 2")
        .contains(
            "controller_invoke_all_cost_count{get_configuration_hit_cache=\"true\","
                + "get_function_hit_cache=\"true\",pod_source=\"warm\",response_code=\"200\"} 1")
        .contains("controller_invoke_runtime_cold 1.0")
        .contains("controller_invoke_runtime_in_use 1.0")
        .contains("controller_invoke_runtime_all 2.0")
        .contains("easyfaas_memory_reserved_bytes 1.34217728E8")
        .contains("easyfaas_traffic_bytes{kind=\"body\"} 0.0")
        .contains("easyfaas_traffic_refused_total{kind=\"body\"} 0.0")
        .contains("easyfaas_connections_limit ")
        .contains("easyfaas_log_dropped_lines_total 0.0");
  }

  @Test
  void userLogOfAFunctionThatWantsOneIsWritten() throws Exception {
    String brn = engine.registry.add("print", Traits.of("print").logged());
    engine.send(
        engine.invocation(brn, "to stderr").header("X-Easyfaas-Request-Id", "../../evil").build());

    Path file = engine.logs().resolve(brn).resolve("output.log");
    TestController.until("log is written", () -> contains(file, "REPORT RequestID"));

    assertThat(Files.readAllLines(file))
        .hasSize(5)
        .allMatch(line -> line.matches("[0-9-]{10}T[0-9:.]{12}Z\t[./_]*evil\t.+"))
        .anyMatch(line -> line.endsWith("\tto stdout"))
        .anyMatch(line -> line.endsWith("\tto stderr"));
  }

  @Test
  void unknownPathIsNotFound() {
    HttpResponse<String> response = engine.get("/v1/nothing");

    assertThat(response.statusCode()).isEqualTo(404);
    assertThat(response.body()).contains("ResourceNotFoundException");
  }

  private HttpResponse<String> invalidate(String id) {
    return engine.send(
        HttpRequest.newBuilder(engine.uri("/v1/runtimes/" + id + "/invalidate"))
            .POST(HttpRequest.BodyPublishers.noBody())
            .build());
  }

  private static boolean contains(Path file, String text) {
    try {
      return Files.readString(file).contains(text);
    } catch (IOException _) {
      return false;
    }
  }
}
