package io.easyfaas.funclet.admin;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.common.wire.ContainerInfo;
import io.easyfaas.common.wire.ErrorDocument;
import io.easyfaas.common.wire.ResetRequest;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class AdminApiTest {
  private static final String WARMUP =
      """
      {"ContainerID":"c0","RequestID":"r","Code":{"Location":"/x"},"Configuration":{},
       "RuntimeConfiguration":{"Name":"n","Bin":"/b","Path":"/p"}}
      """;

  private final FakeFunclet funclet = new FakeFunclet();
  private final AdminApi api = new AdminApi(funclet, Map.of("gitVersion", "1.2.3"));

  @Test
  void helloHealthAndVersion() {
    assertThat(get("/v1/hello").text()).isEqualTo("\"hello funclet\"");
    assertThat(get("/healthz").text()).isEqualTo("ok");
    assertThat(get("/healthz/ping?verbose").text()).isEqualTo("[+]ping ok\nhealthz check passed\n");
    assertThat(get("/version").text()).isEqualTo("{\"gitVersion\":\"1.2.3\"}");
  }

  @Test
  void aContainerIsAnObjectInPascalCase() {
    assertThat(get("/v1/funclet/list?ContainerIDs=c1,other").text())
        .isEqualTo(
            "[{\"Hostname\":\"c1\",\"ContainerID\":\"c1\",\"HostPid\":7,\"Generation\":1,"
                + "\"State\":\"cold\",\"CurrentEvent\":\"\",\"IsFrozen\":false,"
                + "\"Resource\":null,\"ResourceStats\":null,"
                + "\"Reason\":\"\"}]");
    assertThat(Json.PASCAL.readList(get("/v1/funclet/list").body(), ContainerInfo.class))
        .hasSize(2);
  }

  @Test
  void theNodeIsWrapped() {
    assertThat(get("/v1/funclet/node").text())
        .startsWith("{\"Resource\":{\"BaseMemory\":1,\"Default\":{\"MilliCPUs\":2,\"Memory\":3},");
  }

  @Test
  void cooldownTellsHowTheRunnerEnded() {
    HttpResponse response =
        post(
            "/v1/funclet/cooldown",
            "{\"ContainerID\":\"c0\",\"RequestID\":\"r\",\"Reason\":\"idle\"}");

    assertThat(response.status()).isEqualTo(200);
    assertThat(response.text())
        .contains("\"Exit\":{\"Code\":137,\"Signal\":9,\"OutOfMemory\":true}");
    assertThat(funclet.resets).extracting(ResetRequest::reason).containsExactly("idle");
  }

  @Test
  void aContainerIsPrewarmedFrozenAndThawed() {
    String runtime = "{\"Name\":\"nodejs20\",\"Bin\":\"/bin/node\",\"Path\":\"/r\"}";
    assertThat(
            post(
                    "/v1/funclet/prewarm",
                    "{\"ContainerID\":\"c0\",\"RequestID\":\"r\",\"RuntimeConfiguration\":"
                        + runtime
                        + "}")
                .text())
        .startsWith("{\"Container\":{\"Hostname\":\"c0\"");

    String c0 = "{\"ContainerID\":\"c0\",\"RequestID\":\"r\"}";
    assertThat(post("/v1/funclet/freeze", c0).text()).isEqualTo("\"\"");
    assertThat(funclet.frozen).containsExactly(new ContainerId("c0"));
    assertThat(post("/v1/funclet/thaw", c0).text()).isEqualTo("\"\"");
    assertThat(funclet.frozen).isEmpty();
  }

  @Test
  void resetOfAllSaysWhichOnesFailed() {
    HttpResponse response = post("/v1/funclet/reset", "");

    assertThat(response.status()).isEqualTo(500);
    ErrorDocument error = Json.PASCAL.read(response.body(), ErrorDocument.class);
    assertThat(error.cause()).isEqualTo("not reset: c1");
    assertThat(error.backtrace())
        .singleElement()
        .extracting(ErrorDocument::message)
        .asString()
        .contains("container c1 is busy");
    assertThat(funclet.resets).as("the others are reset all the same").hasSize(1);

    funclet.canResetAll = true;
    assertThat(post("/v1/funclet/reset", "").text()).isEqualTo("\"\"");
  }

  @Test
  void aFailureIsOneJsonObjectAndNothingElse() {
    HttpResponse response = get("/v1/funclet/container/c9");

    assertThat(response.status()).isEqualTo(404);
    assertThat(response.header("Content-Type")).contains("application/json");
    assertThat(response.header("X-Bce-ErrorType")).contains("ResourceNotFoundException");
    assertThat(response.text())
        .isEqualTo(
            "{\"Code\":\"ResourceNotFoundException\",\"Cause\":\"container c9 not found\","
                + "\"Message\":\"The resource specified in the request does not exist\","
                + "\"Status\":404,\"Type\":\"User\"}");
  }

  @Test
  void bodiesAndParametersThatAreWrongAreRefused() {
    assertThat(post("/v1/funclet/warmup", "{").status()).isEqualTo(400);
    assertThat(post("/v1/funclet/warmup", "{\"ContainerID\":\"a b\"}").status()).isEqualTo(400);
    assertThat(get("/v1/funclet/container/a%20b").status()).isEqualTo(400);
    assertThat(get("/v1/funclet/node?timeout=soon").text())
        .contains("timeout: \\\"soon\\\" (expected: a number and a unit, for example 10s)");
    assertThat(get("/v1/funclet/node?timeout=%zz").status()).isEqualTo(400);
    assertThat(get("/v1/nothing").status()).isEqualTo(404);
    assertThat(get("/v1/funclet/warmup").status()).isEqualTo(405);
  }

  @Test
  void aTimeoutIsTheRequestsOwn() {
    HttpResponse late = post("/v1/funclet/warmup?timeout=1ms", WARMUP);

    assertThat(late.status()).isEqualTo(504);
    assertThat(late.text()).contains("RequestTimeoutException").contains("no answer in 1 ms");
    funclet.released.countDown();
    assertThat(post("/v1/funclet/warmup", WARMUP).status()).isEqualTo(200);
  }

  @Test
  void theRequestIdIsEchoedOrMade() {
    HttpRequest withId =
        HttpRequest.of("GET", "/v1/hello").withHeader("X-easyfaas-Request-Id", "my-id");

    assertThat(api.handle(withId).header("X-Easyfaas-Request-Id")).contains("my-id");
    assertThat(get("/v1/hello").header("X-Easyfaas-Request-Id").orElseThrow()).hasSize(36);
    assertThat(get("/v1/funclet/container/c9").header("X-Easyfaas-Request-Id")).isPresent();
  }

  private HttpResponse get(String target) {
    return api.handle(HttpRequest.of("GET", target));
  }

  private HttpResponse post(String target, String body) {
    return api.handle(HttpRequest.of("POST", target, body.getBytes(UTF_8)));
  }
}
