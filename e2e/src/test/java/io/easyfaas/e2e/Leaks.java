package io.easyfaas.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/// Owns the engines of a test class and sees to it that they leave nothing: no process, control
/// group, mount, network device, namespace or socket when they have ended, and no descriptor after
/// each test. Engines that still run after the last test are stopped first.
final class Leaks implements BeforeAllCallback, AfterEachCallback, AfterAllCallback {
  // Processes of a sandbox end a moment after their engine.
  private static final Duration SETTLED = Duration.ofSeconds(5);
  // A slot has two sockets to its runner when it is warm, and two files while it warms up.
  private static final int DESCRIPTORS_PER_SLOT = 4;
  // How Netty reports a buffer that was collected without being released.
  private static final String BUFFER_LEAK = "LEAK: ";
  private static final int LOG_LINES = 40;

  private record Watched(Footprint footprint, int descriptorsAtStart, int slots) {}

  private final List<EngineHome> homes = new ArrayList<>();
  private final Map<EngineProcess, Watched> engines = new LinkedHashMap<>();
  private Set<String> networksBefore = Set.of();

  /// New directories and ports, removed after the last test.
  synchronized EngineHome home() {
    EngineHome home = EngineHome.create(this);
    homes.add(home);
    return home;
  }

  /// Starts an engine in new directories.
  EngineProcess start(String... flags) {
    return home().start(flags);
  }

  /// Starts an engine with the flags it is shipped with in new directories.
  EngineProcess startShipped(String... flags) {
    return home().startShipped(flags);
  }

  synchronized void watch(EngineProcess engine) {
    engines.put(engine, new Watched(new Footprint(engine.home().directory()), 0, 0));
    // Engines end with the tests also when these are interrupted.
    Runtime.getRuntime().addShutdownHook(new Thread(() -> engine.handle().destroyForcibly()));
  }

  /// Takes down which processes and control groups a running engine has.
  synchronized void observe(EngineProcess engine) {
    Watched known = engines.get(engine);
    if (known != null && engine.isAlive()) {
      known.footprint().observe(engine.handle());
    }
  }

  /// Takes down what an engine has open that answers, but was not called yet.
  synchronized void ready(EngineProcess engine) {
    observe(engine);
    int descriptors = Descriptors.of(engine.pid()).size();
    engines.computeIfPresent(
        engine, (_, known) -> new Watched(known.footprint(), descriptors, engine.slots().size()));
  }

  /// What is left of an engine that has ended.
  synchronized Footprint footprint(EngineProcess engine) {
    Watched known = engines.get(engine);
    if (known == null) {
      throw new IllegalArgumentException(engine + " was not started here");
    }
    return known.footprint();
  }

  /// Waits until no process of an engine that was killed is there any more.
  void assertNoProcessOutlives(EngineProcess engine) {
    Footprint footprint = footprint(engine);
    Eventually.holds(
        SETTLED,
        () -> assertThat(footprint.processes()).describedAs("processes of %s", engine).isEmpty());
  }

  /// Waits until nothing at all is there any more of an engine that has ended.
  void assertNothingLeft(EngineProcess engine) {
    Footprint footprint = footprint(engine);
    assertNoProcessOutlives(engine);
    Eventually.holds(
        SETTLED,
        () -> {
          assertThat(footprint.controlGroups()).describedAs("groups of %s", engine).isEmpty();
          assertThat(footprint.mounts()).describedAs("mounts of %s", engine).isEmpty();
          assertThat(footprint.sockets()).describedAs("sockets of %s", engine).isEmpty();
        });
  }

  @Override
  public void beforeAll(ExtensionContext context) {
    networksBefore = Footprint.networks();
  }

  @Override
  public void afterEach(ExtensionContext context) {
    if (context.getExecutionException().isPresent()) {
      printLogs(context.getDisplayName());
    }
    for (Map.Entry<EngineProcess, Watched> entry : known().entrySet()) {
      EngineProcess engine = entry.getKey();
      if (engine.isAlive()) {
        observe(engine);
        assertDescriptorsBounded(engine, entry.getValue());
      } else if (isLastOfItsHome(engine)) {
        assertNoProcessOutlives(engine);
      }
    }
  }

  @Override
  public void afterAll(ExtensionContext context) {
    List<Throwable> failures = new ArrayList<>();
    for (EngineProcess engine : known().keySet()) {
      attempt(failures, engine::close);
    }
    for (EngineProcess engine : known().keySet()) {
      attempt(failures, () -> assertNothingLeft(engine));
      attempt(failures, () -> assertThat(engine.log()).doesNotContain(BUFFER_LEAK));
    }
    attempt(
        failures,
        () -> assertThat(Footprint.networks()).describedAs("networks").isSubsetOf(networksBefore));
    for (EngineHome home : homes) {
      attempt(failures, () -> home.keepLog(context.getRequiredTestClass().getSimpleName()));
      attempt(failures, home::delete);
    }
    if (!failures.isEmpty()) {
      AssertionError first = new AssertionError("something leaked: " + failures.getFirst());
      failures.forEach(first::addSuppressed);
      throw first;
    }
  }

  /// An engine that was followed by another one in the same directories has been checked by then,
  /// and what is there now belongs to its successor.
  private boolean isLastOfItsHome(EngineProcess engine) {
    return known().keySet().stream()
        .filter(other -> other.home().equals(engine.home()))
        .reduce((_, later) -> later)
        .filter(last -> last == engine)
        .isPresent();
  }

  private synchronized Map<EngineProcess, Watched> known() {
    return new LinkedHashMap<>(engines);
  }

  private static void assertDescriptorsBounded(EngineProcess engine, Watched watched) {
    if (watched.descriptorsAtStart() == 0) {
      return; // It was never ready.
    }
    int most = watched.descriptorsAtStart() + DESCRIPTORS_PER_SLOT * watched.slots();
    Eventually.holds(
        SETTLED,
        () ->
            assertThat(Descriptors.of(engine.pid()))
                .describedAs("descriptors of %s", engine)
                .hasSizeLessThanOrEqualTo(most));
  }

  private void printLogs(String test) {
    for (EngineProcess engine : known().keySet()) {
      System.err.println("--- " + test + " failed. The end of the log of " + engine + ":");
      List<String> lines = engine.log().lines().toList();
      lines.stream().skip(Math.max(0, lines.size() - LOG_LINES)).forEach(System.err::println);
    }
  }

  private static void attempt(List<Throwable> failures, Runnable step) {
    try {
      step.run();
    } catch (AssertionError | RuntimeException e) {
      failures.add(e);
    }
  }
}
