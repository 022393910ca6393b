package io.easyfaas.controller.pool;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.controller.FakeRegistry.Traits;
import io.easyfaas.controller.pool.PoolHarness.Call;
import io.easyfaas.controller.registry.ResolvedFunction;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What must hold whatever happens, tried with random events from printed seeds.
class SlotPoolPropertiesTest {
  private static final int STEPS = 2000;
  private static final int SLOTS = 5;
  private static final int MEBIBYTES = 640;

  private static final List<Integer> MAX_QUEUES = List.of(0, 3, 50);

  private PoolHarness harness = PoolHarness.withStandby(SLOTS, MEBIBYTES, 2);
  private final List<ResolvedFunction> functions =
      new ArrayList<>(
          List.of(
              PoolHarness.function("a", Traits.of("echo")),
              PoolHarness.function("b", Traits.of("echo").concurrency(3), "python3"),
              PoolHarness.function("c", Traits.of("echo").memory(300)),
              PoolHarness.function("d", Traits.of("echo").reserved(2).concurrency(2)),
              PoolHarness.function("e", Traits.of("echo").memory(640).concurrency(10)),
              PoolHarness.function("f", Traits.of("echo").memory(641)),
              PoolHarness.function("g", Traits.of("echo").owner("other").timeout(60)),
              PoolHarness.function("h", Traits.of("echo").owner("other").timeout(60).memory(300)),
              PoolHarness.function("i", Traits.of("echo").owner("other")),
              PoolHarness.function("j", Traits.of("echo").owner("third"), "python3")));
  private int last;
  private final List<Call> all = new ArrayList<>();
  private final List<Call> running = new ArrayList<>();

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
  void limitsHoldAndNobodyIsLost(long seed) {
    Random random = new Random(seed);
    for (int step = 0; step < STEPS; step++) {
      act(random);
      collect();
      check();
    }
    settle();
    assertThat(all).as("every call was told once").allMatch(call -> call.told == 1);
    assertThat(harness.states()).as("every slot rests").containsOnly("Cold");
    assertThat(harness.pool.usage().marked().bytes()).isZero();
    assertThat(harness.pool.usage().waiting()).isZero();
  }

  /// Nobody looks after the pool but who tells it something: while no work is under way whose end
  /// would, a look at the same moment finds nothing left to do. So a free slot and a call that
  /// could have it are never there together.
  @ParameterizedTest
  @MethodSource("seeds")
  void noWakeUpIsLost(long seed) {
    Random random = new Random(seed);
    harness =
        PoolHarness.withQueue(SLOTS, MEBIBYTES, MAX_QUEUES.get((int) seed % MAX_QUEUES.size()));
    for (int step = 0; step < STEPS; step++) {
      String before = what();
      act(random);
      collect();
      String after = what();
      boolean isQuiet =
          harness.warmUps.isEmpty() && harness.resets.isEmpty() && harness.thaws.isEmpty();
      var _ = harness.pool.sweep();
      if (isQuiet) {
        assertThat(what())
            .describedAs("seed %d, step %d of kind %d, before it: %s", seed, step, last, before)
            .isEqualTo(after);
      }
      check();
    }
  }

  private static LongStream seeds() {
    return LongStream.range(0, 60);
  }

  private String what() {
    return harness.states()
        + " warm-ups "
        + harness.warmUps.stream().map(each -> each.slot() + each.function().name()).toList()
        + " told "
        + all.stream().mapToInt(call -> call.told).sum()
        + " waiting "
        + all.stream().filter(call -> call.told == 0).map(call -> call.function.name()).toList();
  }

  /// The registry says something else of a function, with or without another identity.
  private void change(Random random) {
    int index = random.nextInt(3);
    String owner = functions.get(index).uid();
    String name = functions.get(index).name();
    String runtime = functions.get(index).runtime().name();
    Traits traits =
        Traits.of("echo")
            .owner(owner)
            .memory(100 + random.nextInt(300))
            .concurrency(1 + random.nextInt(4));
    functions.set(index, PoolHarness.function(name, traits, runtime));
  }

  private void act(Random random) {
    last = random.nextInt(16);
    switch (last) {
      case 15 -> {
        if (random.nextInt(5) == 0) {
          change(random);
        }
      }
      case 0, 1, 2, 3 -> call(functions.get(random.nextInt(functions.size())));
      case 4, 5 -> {
        if (!running.isEmpty()) {
          harness.release(running.remove(random.nextInt(running.size())));
        }
      }
      case 6 -> warmUp(random);
      case 7 -> reset(random);
      case 8 -> {
        if (!running.isEmpty()) {
          Call call = running.get(random.nextInt(running.size()));
          if (harness.pool.lost(call.leaseOrFail(), Reason.RUNNER_EXITED)) {
            harness.resets.add(
                new PoolHarness.Reset(call.leaseOrFail().slotIndex(), Reason.RUNNER_EXITED));
          }
        }
      }
      case 9 -> {
        if (!running.isEmpty()) {
          harness.pool.drain(
              running.get(random.nextInt(running.size())).leaseOrFail(), Reason.TIMEOUT);
        }
      }
      case 10 -> {
        if (random.nextInt(10) == 0) {
          harness.pool.invalidate(harness.pool.slots().get(random.nextInt(SLOTS)).id());
        } else if (!all.isEmpty()) {
          withdraw(all.get(random.nextInt(all.size())));
        }
      }
      case 11 -> prewarm(random);
      case 12 -> thaw(random);
      default ->
          harness.pass(Duration.ofMillis(random.nextInt(random.nextInt(50) == 0 ? 70_000 : 300)));
    }
  }

  /// A call that gets a slot at once gets the one used last of those that can run it.
  private void call(ResolvedFunction function) {
    List<SlotState> before = harness.pool.slots().stream().map(SlotView::state).toList();
    Call call = harness.call(function);
    all.add(call);
    Lease lease = call.lease;
    if (lease != null) {
      SlotState.Warm given = (SlotState.Warm) before.get(lease.slotIndex());
      for (SlotState state : before) {
        if (state instanceof SlotState.Warm warm
            && warm.function().equals(function)
            && warm.inFlight() < function.concurrency()) {
          assertThat(warm.lastUsed()).isLessThanOrEqualTo(given.lastUsed());
        }
      }
    }
  }

  private void warmUp(Random random) {
    if (harness.warmUps.isEmpty()) {
      return;
    }
    switch (random.nextInt(5)) {
      case 0 ->
          harness.pool.tell(
              harness.warmUps.removeFirst().slot(),
              new SlotEvent.WarmupFailed("code is missing", false));
      case 1 ->
          harness.pool.tell(
              harness.warmUps.removeFirst().slot(),
              new SlotEvent.LoadFailed(new byte[0], List.of()));
      default -> harness.connect();
    }
  }

  private void prewarm(Random random) {
    if (random.nextInt(20) == 0) {
      harness.pool.tell(random.nextInt(SLOTS), new SlotEvent.PrewarmedLost(PoolHarness.RUNNER));
    } else if (!harness.prewarms.isEmpty()) {
      if (random.nextInt(4) == 0) {
        harness.pool.tell(harness.prewarms.removeFirst().slot(), new SlotEvent.PrewarmFailed());
      } else {
        harness.finishPrewarm();
      }
    }
  }

  private void thaw(Random random) {
    if (harness.thaws.isEmpty()) {
      return;
    }
    if (random.nextInt(4) == 0) {
      harness.pool.tell(harness.thaws.removeFirst(), new SlotEvent.ThawFailed());
    } else {
      harness.finishThaw();
    }
  }

  private void reset(Random random) {
    if (harness.resets.isEmpty()) {
      return;
    }
    if (random.nextInt(4) == 0) {
      harness.pool.tell(harness.resets.removeFirst().slot(), new SlotEvent.ResetFailed(false));
    } else {
      harness.finishReset();
    }
  }

  private void withdraw(Call call) {
    if (call.told == 0 && harness.pool.withdraw(call.function, call)) {
      call.told++;
    }
  }

  private void collect() {
    for (Call call : all) {
      if (call.lease != null && !call.collected) {
        call.collected = true;
        running.add(call);
      }
    }
  }

  private void check() {
    long memory = 0;
    int prewarmed = 0;
    for (SlotView slot : harness.pool.slots()) {
      memory += slot.state().memory().mebibytes();
      prewarmed += slot.state() instanceof SlotState.Prewarmed ? 1 : 0;
      if (slot.state() instanceof SlotState.Warm warm) {
        assertThat(warm.inFlight()).isBetween(0, warm.function().concurrency());
      } else if (slot.state() instanceof SlotState.Draining draining) {
        assertThat(draining.inFlight()).isBetween(1, draining.function().concurrency());
      }
    }
    assertThat(memory).isLessThanOrEqualTo(MEBIBYTES);
    assertThat(prewarmed).isLessThanOrEqualTo(2);
    Map<ResolvedFunction, Integer> inFlight = new HashMap<>();
    running.forEach(call -> inFlight.merge(call.function, 1, Integer::sum));
    inFlight.forEach(
        (function, count) -> assertThat(count).isLessThanOrEqualTo(function.maxInFlight()));
    assertThat(all).allMatch(call -> call.told <= 1);
  }

  /// Lets everything end well.
  private void settle() {
    for (int round = 0; round < 1000; round++) {
      while (!harness.warmUps.isEmpty()) {
        harness.connect();
      }
      while (!harness.prewarms.isEmpty()) {
        harness.finishPrewarm();
      }
      while (!harness.thaws.isEmpty()) {
        harness.finishThaw();
      }
      while (!harness.resets.isEmpty()) {
        harness.finishReset();
      }
      collect();
      running.forEach(harness::release);
      running.clear();
      harness.pass(Duration.ofSeconds(1));
      check();
    }
  }
}
