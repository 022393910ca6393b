package io.easyfaas.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// `kill -9` at any moment: no sandbox outlives its engine, the next start sweeps what is left, and
/// every function whose storing was answered is there and works.
@EndToEnd
final class KillIT {
  private static final Duration SOON = Duration.ofSeconds(10);
  private static final String SLOTS = "--container-num=2";

  @RegisterExtension private static final Leaks LEAKS = new Leaks();
  private EngineHome home;

  @BeforeEach
  void freshHome() {
    home = LEAKS.home();
  }

  @Test
  void killedWhileIdle() {
    EngineProcess engine = home.start(SLOTS);
    engine.create(hello("kept"));
    assertThat(engine.call("kept", "{}")).isEqualTo("kept");

    engine.kill9();

    LEAKS.assertNoProcessOutlives(engine);
    assertNextEngineServes(Set.of("kept"));
  }

  @Test
  void killedBeforeTheFirstCall() {
    EngineProcess engine = home.start(SLOTS);
    engine.create(hello("kept"));

    engine.kill9();

    LEAKS.assertNoProcessOutlives(engine);
    assertNextEngineServes(Set.of("kept"));
  }

  @Test
  void killedDuringAColdStart() {
    EngineProcess engine = home.start(SLOTS);
    engine.create(
        FunctionSpec.python(
            "slow-start",
            "import time\ntime.sleep(3)\ndef handler(event, context):\n    return 1"));
    CompletableFuture<Answer> call = engine.invokeAsync("slow-start", "{}");
    Eventually.isTrue(
        "a slot warms up",
        SOON,
        () ->
            engine.slots().stream()
                .anyMatch(slot -> slot.get("State").asString().equals("warmup")));

    engine.kill9();

    LEAKS.assertNoProcessOutlives(engine);
    assertThat(call).failsWithin(SOON);
    assertNextEngineServes(Set.of());
  }

  @Test
  void killedWhileTenantsHideTheirProcesses() {
    EngineProcess engine = home.start(SLOTS);
    Shell shell = Shell.create(engine, Shell.python("hider"));
    shell.run(
        """
        for _ in range(5):
            if os.fork() == 0:
                os.setsid()
                for each in range(1, signal.NSIG):
                    attempt(lambda: signal.signal(each, signal.SIG_IGN))
                if os.fork() == 0:
                    while True:
                        time.sleep(1)
                os._exit(0)
        """);

    engine.kill9();

    LEAKS.assertNoProcessOutlives(engine);
    assertNextEngineServes(Set.of());
  }

  @Test
  void killedUnderLoad() {
    EngineProcess engine = home.start(SLOTS);
    engine.create(hello("kept"));
    try (Load load = new Load(engine, hello("kept"), 0)) {
      Eventually.isTrue("calls are answered", SOON, () -> load.answered() > 50);

      engine.kill9();
    }

    LEAKS.assertNoProcessOutlives(engine);
    assertNextEngineServes(Set.of("kept"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"SEGV", "ABRT"})
  void theJavaMachineCrashes(String signal) {
    Map<String, String> environment = new HashMap<>(home.environment());
    environment.put(
        "EASYFAAS_JAVA_FLAGS",
        "-XX:-CreateCoredumpOnCrash -XX:ErrorFile=" + home.directory().resolve("crash.log"));
    EngineProcess engine = home.run(Installation.shipped(home.arguments(SLOTS)), environment);
    engine.awaitReady();
    engine.create(hello("kept"));
    assertThat(engine.call("kept", "{}")).isEqualTo("kept");

    engine.signal(signal);

    int _ = engine.awaitEnd(SOON);
    LEAKS.assertNoProcessOutlives(engine);
    assertNextEngineServes(Set.of("kept"));
  }

  @Test
  void killedAtTwentyRandomMoments() throws InterruptedException {
    long seed = Long.getLong("easyfaas.seed", System.nanoTime());
    System.out.println("easyfaas.seed=" + seed);
    Random random = new Random(seed);
    Set<String> acknowledged = new TreeSet<>();
    for (int round = 0; round < 20; round++) {
      EngineProcess engine = home.launch(SLOTS);
      if (random.nextInt(4) == 0) {
        // In the middle of its start, which takes about this long.
        boolean ended =
            engine.handle().onExit().isDone() || endsWithin(engine, random.nextInt(2500));
        assertThat(ended).describedAs("round %d: the engine ended by itself", round).isFalse();
        engine.kill9();
      } else {
        engine.awaitReady();
        assertThat(stored(engine)).describedAs("round %d", round).containsAll(acknowledged);
        engine.create(hello("round-" + round));
        acknowledged.add("round-" + round);
        try (Load load = new Load(engine, hello("round-" + round), round)) {
          int enough = random.nextInt(40);
          Eventually.isTrue("calls are answered", SOON, () -> load.answered() >= enough);
          boolean _ = endsWithin(engine, random.nextInt(50));
          engine.kill9();
          acknowledged.addAll(load.stored());
        }
      }
      LEAKS.assertNoProcessOutlives(engine);
    }

    assertNextEngineServes(acknowledged);
  }

  @Test
  void theLauncherIsKilledAndTheEngineRecovers() {
    EngineProcess engine = home.start(SLOTS);
    engine.create(hello("kept"));
    assertThat(engine.call("kept", "{}")).isEqualTo("kept");
    ProcessHandle launcher = engine.launcher();
    List<ProcessHandle> sandboxes = launcher.descendants().toList();

    launcher.destroyForcibly();

    Eventually.isTrue(
        "every sandbox died with its launcher",
        SOON,
        () -> sandboxes.stream().noneMatch(ProcessHandle::isAlive));
    Eventually.holds(
        SOON,
        () -> {
          Answer answer = engine.invoke("kept", "{}");
          assertThat(answer.status()).describedAs("%s", answer).isEqualTo(200);
          assertThat(answer.text()).isEqualTo("kept");
        });
    Eventually.holds(
        SOON,
        () ->
            assertThat(engine.slots())
                .describedAs("all slots are in use again")
                .extracting(slot -> slot.get("State").asString())
                .allMatch(state -> state.equals("cold") || state.equals("warm")));
    assertThat(engine.launcher().pid()).isNotEqualTo(launcher.pid());
    engine.close();
    LEAKS.assertNothingLeft(engine);
  }

  @Test
  void theLauncherIsStoppedAndTheEngineRecovers() {
    EngineProcess engine = home.start("--container-num=1", "--max-prewarmed=0");
    engine.create(hello("kept"));
    ProcessHandle launcher = engine.launcher();

    Command.Result sent = Command.run(List.of("kill", "-STOP", "" + launcher.pid()), Map.of());
    assertThat(sent.status()).describedAs("%s", sent).isZero();
    Answer first = engine.invoke("kept", "{}");

    assertThat(first.status()).describedAs("made anew, or none can be: %s", first).isIn(200, 503);
    Eventually.holds(SOON, () -> assertThat(engine.invoke("kept", "{}").text()).isEqualTo("kept"));
    assertThat(engine.launcher().pid()).isNotEqualTo(launcher.pid());
    engine.close();
    LEAKS.assertNothingLeft(engine);
  }

  @Test
  void aSandboxIsKilledFromOutsideAndTheSlotRecovers() {
    EngineProcess engine = home.start("--container-num=1");
    engine.create(hello("kept"));
    assertThat(engine.call("kept", "{}")).isEqualTo("kept");

    // Keepers and inits: whatever is below the launcher.
    engine.launcher().descendants().forEach(ProcessHandle::destroyForcibly);

    Eventually.holds(SOON, () -> assertThat(engine.invoke("kept", "{}").text()).isEqualTo("kept"));
    engine.close();
    LEAKS.assertNothingLeft(engine);
  }

  @Test
  void callsOfASandboxThatIsKilledFromOutsideAreToldSo() {
    EngineProcess engine = home.start("--container-num=1");
    CompletableFuture<Answer> call = endlessCall(engine);

    // The keeper: its sandbox ends with it.
    engine.launcher().children().forEach(ProcessHandle::destroyForcibly);

    assertLost(call.join());
    engine.close();
    LEAKS.assertNothingLeft(engine);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 4})
  void callsThatEndWithTheLauncherAreToldSo(int slots) {
    EngineProcess engine = home.start("--container-num=" + slots);
    CompletableFuture<Answer> call = endlessCall(engine);

    engine.launcher().destroyForcibly();

    assertLost(call.join());
    engine.close();
    LEAKS.assertNothingLeft(engine);
  }

  /// A call that runs.
  private static CompletableFuture<Answer> endlessCall(EngineProcess engine) {
    engine.create(
        FunctionSpec.node("endless", "exports.handler = () => new Promise(() => {});")
            .withTimeout(60));
    CompletableFuture<Answer> call = engine.invokeAsync("endless", "{}");
    Eventually.isTrue(
        "it runs",
        SOON,
        () -> engine.slots().stream().anyMatch(slot -> slot.get("Concurrency").asInt() == 1));
    return call;
  }

  private static void assertLost(Answer answer) {
    assertThat(answer.status()).describedAs("%s", answer).isEqualTo(503);
    assertThat(answer.header("Retry-After")).isPresent();
    assertThat(answer.text()).contains("the engine has lost the sandbox");
  }

  private void assertNextEngineServes(Set<String> functions) {
    EngineProcess next = home.start(SLOTS);
    assertThat(stored(next)).containsAll(functions);
    for (String function : functions) {
      assertThat(next.call(function, "{}")).isEqualTo(function.replaceFirst("-stored-.*", ""));
    }
    next.create(hello("after"));
    assertThat(next.call("after", "{}")).isEqualTo("after");
    next.close();
    LEAKS.assertNothingLeft(next);
  }

  private static FunctionSpec hello(String name) {
    return FunctionSpec.node(name, "exports.handler = async () => '" + name + "';");
  }

  private static Set<String> stored(EngineProcess engine) {
    Set<String> names = new TreeSet<>();
    engine
        .send(engine.registry("/v1/functions").GET())
        .json()
        .get("Functions")
        .forEach(function -> names.add(function.get("FunctionName").asString()));
    return names;
  }

  private static boolean endsWithin(EngineProcess engine, long millis) throws InterruptedException {
    try {
      return engine.handle().onExit().get(millis, TimeUnit.MILLISECONDS) != null;
    } catch (java.util.concurrent.TimeoutException _) {
      return false;
    } catch (java.util.concurrent.ExecutionException e) {
      throw new AssertionError(e);
    }
  }
}
