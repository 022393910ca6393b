package io.easyfaas.controller;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.json.Json;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.wire.ErrorDocument;
import io.easyfaas.common.wire.WarmupRequest;
import io.easyfaas.controller.FakeRegistry.Traits;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// What becomes of calls whose function's code is gone, damaged, or too large.
class UpdateTest {
  private final TestController engine = new TestController(2, 512);

  @AfterEach
  void stop() {
    engine.close();
  }

  @Test
  void callsThatWaitMoveToTheRevisionThatTookThePlaceOfTheirs() {
    String brn = engine.registry.latest("changing", 1, Traits.of("echo"));
    engine.funclet.refuseWarmups(request -> isRevision(request, 1) ? gone() : Optional.empty());
    engine.funclet.holdWarmups();
    List<CompletableFuture<HttpResponse<String>>> calls = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      calls.add(engine.invokeLater(brn, "x"));
    }
    TestController.until(
        "all wait", () -> engine.controller.warden().pool().usage().waiting() == 5);

    var _ = engine.registry.latest("changing", 2, Traits.of("echo"));
    engine.funclet.letWarmups(100);

    calls.forEach(call -> assertThat(TestController.await(call).body()).isEqualTo("x"));
  }

  @Test
  void callThatIsOvertakenByEveryUpdateGivesUpAfterTenRevisions() {
    AtomicInteger revisions = new AtomicInteger();
    engine.funclet.refuseWarmups(_ -> {
      var _ = engine.registry.latest("restless", revisions.incrementAndGet(), Traits.of("echo"));
      return gone();
    });
    String brn = engine.registry.latest("restless", 0, Traits.of("echo"));

    HttpResponse<String> response = engine.invoke(brn, "x");

    assertThat(response.statusCode()).isEqualTo(500);
    assertThat(response.body()).contains("does not exist");
    assertThat(revisions).hasValue(11);
  }

  @Test
  void codeThatTheRegistryStillNamesIsNotTriedAgain() {
    String brn = engine.registry.latest("lost", 1, Traits.of("echo"));
    engine.funclet.refuseWarmups(_ -> gone());

    HttpResponse<String> response = engine.invoke(brn, "x");

    assertThat(response.statusCode()).isEqualTo(500);
    assertThat(response.body()).contains("/code/lost.1.zip does not exist");
    assertThat(engine.funclet.warmups()).hasSize(1);
    assertThat(engine.registry.asked()).isEqualTo(2);
  }

  @Test
  void versionWhoseCodeIsGoneIsAnErrorAtOnce() {
    String brn = engine.registry.add("fixed", Traits.of("echo"));
    engine.funclet.refuseWarmups(_ -> gone());

    HttpResponse<String> response = engine.invoke(brn, "x");

    assertThat(response.statusCode()).isEqualTo(500);
    assertThat(response.body()).contains("code location: /code does not exist");
    assertThat(engine.funclet.warmups()).hasSize(1);
    assertThat(engine.registry.asked()).isEqualTo(1);
  }

  @Test
  void packageThatNeverFitsIsTheCallersErrorAndToldOnce() {
    String brn = engine.registry.add("huge", Traits.of("echo"));
    engine.funclet.refuseWarmups(_ ->
        Optional.of(new ApiException(ErrorCode.REQUEST_TOO_LARGE, "code takes 9 bytes unpacked")));

    HttpResponse<String> response = engine.invoke(brn, "x");

    ErrorDocument error = Json.PASCAL.read(response.body(), ErrorDocument.class);
    assertThat(response.statusCode()).isEqualTo(400);
    assertThat(response.headers().firstValue("Retry-After")).isEmpty();
    assertThat(error.cause()).isEqualTo("no call can run");
    assertThat(error.backtrace().getFirst().message()).contains("code takes 9 bytes unpacked");
    assertThat(engine.funclet.warmups()).hasSize(1);
  }

  @Test
  void damagedPackageSaysNothingAboutTheSandboxes() {
    String brn = engine.registry.add("damaged", Traits.of("echo"));
    engine.funclet.refuseWarmups(_ ->
        Optional.of(new ApiException(ErrorCode.INVALID_PARAMETER, "CodeSha256 checksum failed")));

    assertThat(engine.invoke(brn, "x").statusCode()).isEqualTo(400);

    assertThat(engine.get("/readyz").statusCode()).isEqualTo(200);
  }

  private static boolean isRevision(WarmupRequest request, int revision) {
    return request.code().location().endsWith("." + revision + ".zip");
  }

  private static Optional<ApiException> gone() {
    return Optional.of(
        new ApiException(ErrorCode.CODE_NOT_FOUND, "code location: /code does not exist"));
  }
}
