package io.easyfaas.controller;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.controller.FakeRegistry.Traits;
import java.net.http.HttpResponse;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// What calls are told while the controller stops.
class DrainTest {
  private final TestController engine = new TestController(2, 512);

  @AfterEach
  void stop() {
    engine.close();
  }

  @Test
  void newCallsAreSentAwayWhileThoseInFlightEnd() throws Exception {
    String brn = engine.registry.add("hold", Traits.of("hold"));
    CompletableFuture<HttpResponse<String>> running = engine.invokeLater(brn, "x");
    FakeRunner.Call call = engine.funclet.awaitHeld();

    CompletableFuture<Void> closed = CompletableFuture.runAsync(engine.controller::close);
    TestController.until("it refuses", () -> engine.get("/readyz").statusCode() == 503);
    HttpResponse<String> refused = engine.invoke(brn, "y");
    HttpResponse<String> ready = engine.get("/readyz");
    call.answer("served");

    assertThat(refused.statusCode()).isEqualTo(503);
    assertThat(refused.headers().firstValue("Connection")).hasValue("close");
    assertThat(refused.headers().firstValue("Retry-After")).hasValue("1");
    assertThat(ready.body()).contains("draining");
    assertThat(TestController.await(running).body()).isEqualTo("served");
    var _ = TestController.await(closed);
  }

  @Test
  void aCallThatTakesLongerThanIsWaitedForIsToldSo() throws Exception {
    String brn = engine.registry.add("hold", Traits.of("hold"));
    CompletableFuture<HttpResponse<String>> running = engine.invokeLater(brn, "x");
    FakeRunner.Call _ = engine.funclet.awaitHeld();

    engine.controller.close();

    HttpResponse<String> answer = TestController.await(running);
    assertThat(answer.statusCode()).isEqualTo(503);
    assertThat(answer.headers().firstValue("Connection")).hasValue("close");
    assertThat(answer.body()).contains("the engine has ended the call");
  }

  @Test
  void callsGoOnThatWereThereWhenItBeganToRefuse() throws Exception {
    String brn = engine.registry.add("hold", Traits.of("hold").reserved(1));
    CompletableFuture<HttpResponse<String>> running = engine.invokeLater(brn, "x");
    FakeRunner.Call call = engine.funclet.awaitHeld();
    CompletableFuture<HttpResponse<String>> waiting = engine.invokeLater(brn, "waits");
    TestController.until(
        "it waits", () -> engine.controller.warden().pool().usage().waiting() == 1);

    engine.controller.refuse();

    assertThat(TestController.await(waiting).statusCode()).isEqualTo(503);
    assertThat(running).isNotDone();
    call.answer("served");
    HttpResponse<String> answer = TestController.await(running);
    assertThat(answer.body()).isEqualTo("served");
    assertThat(answer.headers().firstValue("Connection")).hasValue("close");
  }
}
