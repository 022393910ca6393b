package io.easyfaas.controller;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.common.wire.ResetRequest;
import io.easyfaas.controller.FakeRegistry.Traits;
import io.easyfaas.controller.pool.Reason;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Runners that are started before anybody needs them.
class PrewarmTest {
  private final TestController engine = new TestController(3, 384, "--max-prewarmed", "1");

  @AfterEach
  void stop() {
    engine.close();
  }

  @Test
  void aLanguageThatIsUsedGetsAReadyRunnerWhichTheNextFunctionTakes() {
    AtomicInteger started = new AtomicInteger();
    engine.funclet.script(runner -> {
      started.incrementAndGet();
      runner.greetAndLoad();
      runner.serve();
    });
    assertThat(engine.states()).containsExactly("cold", "cold", "cold");

    assertThat(engine.invoke(engine.registry.add("a", Traits.of("echo")), "1").body())
        .isEqualTo("1");
    TestController.until("one is ready", () -> engine.states().get(1).equals("prewarmed"));
    assertThat(started).hasValue(2);

    assertThat(engine.invoke(engine.registry.add("b", Traits.of("echo")), "2").body())
        .isEqualTo("2");
    assertThat(engine.funclet.warmups().getLast().containerID())
        .isEqualTo(ContainerId.of("pod", 1));
    TestController.until("the next is ready", () -> engine.states().get(2).equals("prewarmed"));
    assertThat(started).hasValue(3);
  }

  @Test
  void onTheWireAReadyRunnerIsACold() {
    engine.invoke(engine.registry.add("a", Traits.of("echo")), "1");
    TestController.until("one is ready", () -> engine.states().get(1).equals("prewarmed"));

    assertThat(engine.get("/v1/runtimes").body())
        .contains("\"State\":\"warm\"")
        .contains("\"State\":\"cold\"")
        .doesNotContain("prewarmed");
    assertThat(engine.get("/v1/resource").body())
        .contains("\"Marked\":{\"MilliCPUs\":0,\"Memory\":134217728}");
    assertThat(engine.get("/metrics").body()).contains("easyfaas_slots{state=\"prewarmed\"} 1.0");
  }

  @Test
  void whoNeedsTheRoomGetsIt() {
    engine.invoke(engine.registry.add("a", Traits.of("echo")), "1");
    TestController.until("one is ready", () -> engine.states().get(1).equals("prewarmed"));

    String large = engine.registry.add("large", Traits.of("echo").memory(384).timeout(60));
    assertThat(engine.invoke(large, "2").body()).isEqualTo("2");

    assertThat(engine.funclet.resets())
        .extracting(ResetRequest::reason)
        .containsOnly(Reason.MAKE_ROOM.word());
  }

  @Test
  void aRunnerThatDoesNotStartIsNotTriedAgainAtOnce() {
    engine.funclet.failPrewarms(1);
    engine.invoke(engine.registry.add("a", Traits.of("echo")), "1");
    TestController.until("it failed", () -> engine.funclet.resets().size() == 1);
    TestController.until("it is cold", () -> engine.states().get(1).equals("cold"));

    engine.pass(Duration.ofSeconds(1));
    assertThat(engine.funclet.prewarms()).hasSize(1);
    assertThat(engine.invoke(engine.registry.add("b", Traits.of("echo")), "2").body())
        .isEqualTo("2");

    engine.pass(Duration.ofMinutes(1));
    TestController.until("one is ready", () -> engine.states().contains("prewarmed"));
  }

  @Test
  void aReadyRunnerThatEndsIsReplacedAndHarmsNobody() throws IOException {
    engine.invoke(engine.registry.add("a", Traits.of("echo")), "1");
    TestController.until("one is ready", () -> engine.states().get(1).equals("prewarmed"));

    engine.funclet.runner(1).close();
    TestController.until("it is cold", () -> engine.states().get(1).equals("cold"));

    assertThat(engine.funclet.resets())
        .extracting(ResetRequest::reason)
        .containsExactly(Reason.RUNNER_EXITED.word());
    assertThat(engine.invoke(engine.registry.add("b", Traits.of("echo")), "2").body())
        .isEqualTo("2");
  }

  @Test
  void whatNobodyWantsIsGivenBack() {
    engine.invoke(engine.registry.add("a", Traits.of("echo")), "1");
    TestController.until("one is ready", () -> engine.states().get(1).equals("prewarmed"));

    engine.pass(Duration.ofMinutes(10));

    TestController.until(
        "all are cold", () -> engine.states().stream().allMatch(state -> state.equals("cold")));
  }
}
