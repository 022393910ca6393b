package io.easyfaas.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/// What must hold whatever an engine is flooded with: the calls of others succeed with the right
/// answers from undisturbed sandboxes and take little longer than in quiet, memory stays within the
/// plan, and when the flood is over all is as before.
///
/// This is the one place where a time is asserted: that others wait no longer is the promise. The
/// measure is the same client's own quiet time of the moment before.
final class Siege {
  private static final int TIMES_QUIET = 5;
  // Below it, what is seen is the scheduler of a small machine that also runs the flood.
  private static final Duration FLOOR = Duration.ofMillis(500);

  /// How long a flood lasts that could go on for ever.
  static final Duration HEIGHT = Duration.ofSeconds(3);

  private static final Duration RECOVERED = Duration.ofSeconds(10);
  private static final Set<String> AT_REST = Set.of("cold", "warm");
  // The parts keep up to 64 connections to each other for later.
  private static final int DESCRIPTORS_TOLERATED = 80;

  private final EngineProcess engine;
  private final EngineMemory memory;
  private final List<Innocent> innocents;

  /// Of an engine that keeps to its plan.
  ///
  /// @param innocents who call while the flood lasts
  Siege(EngineProcess engine, Innocent... innocents) {
    this(EngineMemory.planned(engine), innocents);
  }

  /// @param innocents who call while the flood lasts
  Siege(EngineMemory memory, Innocent... innocents) {
    this.engine = memory.engine();
    this.memory = memory;
    this.innocents = List.of(innocents);
  }

  /// Measures quiet, lets the flood loose, and checks everything.
  ///
  /// @param flood returns when it is over and its connections are closed
  void survives(Runnable flood) {
    List<Innocent.Round> quiet = innocents.stream().map(Innocent::call).toList();
    int descriptors = Descriptors.count(engine.pid());

    List<Innocent.Round> flooded = callDuring(flood);

    System.out.println(
        "quiet " + quiet + " flooded " + flooded + " peak " + memory.peak() + " MiB");
    for (int i = 0; i < innocents.size(); i++) {
      assertServed(innocents.get(i).name(), quiet.get(i), flooded.get(i));
    }
    for (int i = 0; i < innocents.size(); i++) {
      assertPrompt(innocents.get(i).name() + " in the flood", quiet.get(i), flooded.get(i));
    }
    assertRecovers(quiet, descriptors);
  }

  /// The same for a flood of connections.
  ///
  /// @param flood is given a list for those that it opens; they are broken off when it is over
  void survives(Consumer<List<RawClient>> flood) {
    survives(() -> {
      List<RawClient> clients = new ArrayList<>();
      try {
        flood.accept(clients);
      } finally {
        clients.forEach(RawClient::abort);
      }
    });
  }

  /// Holds a flood at its height, so that the innocents feel it.
  static void hold() {
    LockSupport.parkNanos(HEIGHT.toNanos());
  }

  private List<Innocent.Round> callDuring(Runnable flood) {
    AtomicBoolean over = new AtomicBoolean();
    List<CompletableFuture<Innocent.Round>> rounds = new ArrayList<>();
    for (Innocent innocent : innocents) {
      rounds.add(
          CompletableFuture.supplyAsync(
              () -> innocent.callUntil(over), task -> Thread.ofPlatform().start(task)));
    }
    try {
      flood.run();
    } finally {
      over.set(true);
    }
    return rounds.stream().map(CompletableFuture::join).toList();
  }

  private static void assertServed(String name, Innocent.Round quiet, Innocent.Round flooded) {
    assertThat(quiet.failures()).describedAs("%s in quiet", name).isEmpty();
    assertThat(flooded.failures()).describedAs("%s in the flood", name).isEmpty();
    assertThat(flooded.nanos()).describedAs("calls of %s in the flood", name).isNotEmpty();
  }

  private static void assertPrompt(String who, Innocent.Round quiet, Innocent.Round now) {
    Duration several = quiet.p99().multipliedBy(TIMES_QUIET);
    assertThat(now.p99())
        .describedAs("p99 of %s, %s in quiet", who, quiet.p99())
        .isLessThanOrEqualTo(several.compareTo(FLOOR) > 0 ? several : FLOOR);
  }

  private void assertRecovers(List<Innocent.Round> quiet, int descriptors) {
    long end = System.nanoTime() + RECOVERED.toNanos();
    Eventually.holds(
        left(end),
        () ->
            assertThat(Descriptors.count(engine.pid()))
                .describedAs("descriptors of %s after the flood", engine)
                .isLessThanOrEqualTo(descriptors + DESCRIPTORS_TOLERATED));
    Eventually.holds(
        left(end),
        () ->
            assertThat(engine.slots())
                .describedAs("slots after the flood")
                .allMatch(slot -> AT_REST.contains(slot.get("State").asString()))
                .allMatch(slot -> slot.get("Concurrency").asInt() == 0));
    for (int i = 0; i < innocents.size(); i++) {
      Innocent innocent = innocents.get(i);
      Innocent.Round before = quiet.get(i);
      Eventually.holds(
          left(end),
          () -> {
            Innocent.Round after = innocent.call();
            assertThat(after.failures()).describedAs("%s afterwards", innocent.name()).isEmpty();
            assertPrompt(innocent.name() + " afterwards", before, after);
          });
    }
    memory.assertWithinPlan();
  }

  private static Duration left(long end) {
    return Duration.ofNanos(Math.max(end - System.nanoTime(), 1));
  }
}
