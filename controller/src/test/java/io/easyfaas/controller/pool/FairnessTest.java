package io.easyfaas.controller.pool;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.controller.FakeRegistry.Traits;
import io.easyfaas.controller.pool.PoolHarness.Call;
import io.easyfaas.controller.registry.ResolvedFunction;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// What one account may keep from others, and what not.
class FairnessTest {
  private static final int SLOTS = 10;

  private PoolHarness harness = PoolHarness.withQueue(SLOTS, SLOTS * 128, 100);

  @Test
  void theLastSlotIsNotForCallsThatMayTakeLong() {
    List<Call> sleepers = functions("greedy", 14, 900).stream().map(harness::call).toList();
    connectAll();

    assertThat(sleepers).filteredOn(call -> call.lease != null).hasSize(SLOTS - 1);
    harness.call(function("small", "innocent", 3));
    assertOnlyTheInnocentStarts();
  }

  @Test
  void theLastOfTheMemoryIsNotForCallsThatMayTakeLong() {
    harness = PoolHarness.withQueue(SLOTS, 1280, 100);
    for (int i = 0; i < 3; i++) {
      harness.call(
          PoolHarness.function(
              "f" + i, Traits.of("echo").memory(600).timeout(900).owner("greedy")));
    }
    connectAll();
    harness.call(function("small", "innocent", 3));

    assertOnlyTheInnocentStarts();
  }

  @Test
  void whoNeedsAllOfTheMemoryForLongGetsItWhileNobodyElseDoes() {
    Call call =
        harness.call(PoolHarness.function("f", Traits.of("echo").memory(SLOTS * 128).timeout(900)));
    harness.connect();

    assertThat(call.lease).isNotNull();
  }

  @Test
  void aFunctionThatMayTakeLongTakesTheSlotOfAnotherSuchOne() {
    List<Call> sleepers = functions("greedy", SLOTS - 1, 900).stream().map(harness::call).toList();
    connectAll();
    harness.release(sleepers.get(4));
    harness.pass(Duration.ofSeconds(4));
    ResolvedFunction next = function("next", "greedy", 900);
    harness.call(next);
    finishResets();

    assertThat(harness.warmUps).singleElement().matches(each -> each.function().equals(next));
    assertThat(harness.states()).containsOnlyOnce("Cold");
  }

  @Test
  void whoHoldsLessComesFirstHoweverManyFunctionsTheOtherHas() {
    List<Call> held = functions("greedy", SLOTS, 3).stream().map(harness::call).toList();
    connectAll();
    functions("greedy more", 20, 3).stream()
        .map(function -> PoolHarness.function(function.name() + "-", traits("greedy", 3)))
        .forEach(harness::call);
    Call innocent = harness.call(function("small", "innocent", 3));
    harness.pass(Duration.ofSeconds(1));
    for (Call call : held) {
      harness.release(call);
      if (!harness.resets.isEmpty()) {
        break;
      }
    }
    finishResets();

    assertThat(harness.warmUps.getFirst().function()).isEqualTo(innocent.function);
  }

  @Test
  void theNewestCallOfWhoHasMostWaitingMakesWay() {
    harness = PoolHarness.withQueue(1, 128, 10);
    ResolvedFunction greedy = function("greedy", "greedy", 3);
    harness.call(greedy);
    harness.connect();
    List<Call> many = new ArrayList<>();
    IntStream.range(0, 12).forEach(_ -> many.add(harness.call(greedy)));
    assertThat(many).filteredOn(call -> call.refusal != null).isEqualTo(many.subList(10, 12));

    List<Call> innocents = new ArrayList<>();
    ResolvedFunction small = function("small", "innocent", 3);
    IntStream.range(0, 7).forEach(_ -> innocents.add(harness.call(small)));

    assertThat(innocents)
        .filteredOn(call -> call.refusal == null)
        .isEqualTo(innocents.subList(0, 5));
    assertThat(many).filteredOn(call -> call.refusal != null).isEqualTo(many.subList(5, 12));
    assertThat(harness.pool.usage().waiting()).isEqualTo(10);
  }

  @Test
  void theBytesOfCallsThatWaitAreSharedToo() {
    harness = new PoolHarness(1, 128, 100, 40);
    ResolvedFunction greedy = function("greedy", "greedy", 3);
    harness.call(greedy);
    harness.connect();
    List<Call> many = IntStream.range(0, 5).mapToObj(_ -> harness.call(greedy)).toList();
    assertThat(many.getLast().refusal).isInstanceOf(Refusal.Overloaded.class);

    Call innocent = harness.call(function("small", "innocent", 3));

    assertThat(innocent.told).isZero();
    assertThat(many.get(3).refusal).isInstanceOf(Refusal.Overloaded.class);
  }

  @Test
  void whoWantsMuchDoesNotKeepWhatIsFreeFromWhoWantsLittle() {
    harness = PoolHarness.withQueue(SLOTS, 1000, 100);
    ResolvedFunction large = PoolHarness.function("large", traits("greedy", 3).memory(700));
    harness.call(large);
    harness.connect();
    harness.call(PoolHarness.function("larger", traits("greedy", 3).memory(700)));
    harness.pass(Duration.ofSeconds(2));
    harness.call(function("small", "innocent", 3));

    assertOnlyTheInnocentStarts();
  }

  @Test
  void whatAnAccountWithMoreHasInUseIsTakenForOneWithLess() {
    List<Call> held = functions("greedy", SLOTS, 3).stream().map(harness::call).toList();
    connectAll();
    held.forEach(harness::release);
    Call innocent = harness.call(function("small", "innocent", 3));
    finishResets();

    assertThat(harness.warmUps.getFirst().function()).isEqualTo(innocent.function);
  }

  @Test
  void whatAnAccountWithLittleHasInUseIsNotTakenWhileAnotherHasMore() {
    harness = PoolHarness.withQueue(3, 384, 100);
    functions("greedy", 2, 3).forEach(harness::call);
    Call modest = harness.call(function("modest", "modest", 3));
    connectAll();
    harness.release(modest);
    Call late = harness.call(function("late", "late", 3));
    assertThat(harness.resets).isEmpty();

    harness.pass(Duration.ofSeconds(1));
    assertThat(harness.states()).containsOnlyOnce("Draining");
    assertThat(harness.call(modest.function).lease).isNotNull();
    assertThat(late.told).isZero();
  }

  @Test
  void callsThatComeTogetherTakeTheSlotsInUseOfSeveralOthersOfTheirAccount() {
    harness = PoolHarness.withQueue(2, 256, 100);
    List<Call> others = functions("one", 2, 3).stream().map(harness::call).toList();
    connectAll();
    others.forEach(harness::release);
    ResolvedFunction function = function("together", "one", 3);
    harness.call(function);
    harness.call(function);

    assertThat(harness.resets).hasSize(2);
  }

  @Test
  void manyCallsOfOneAccountDoNotSayThatTheEngineIsFull() {
    harness = PoolHarness.withQueue(2, 256, 10);
    harness.pass(Duration.ZERO);
    functions("greedy", 2, 3).forEach(harness::call);
    connectAll();
    Call innocent = harness.call(function("small", "innocent", 3));
    IntStream.range(0, 20).forEach(_ -> harness.call(function("greedy0", "greedy", 3)));
    assertThat(harness.pool.unready()).doesNotContain(Unready.FULL);

    harness.now += Duration.ofSeconds(1).toNanos();
    assertThat(innocent.told).isZero();
    assertThat(harness.pool.unready()).contains(Unready.FULL);
  }

  private void assertOnlyTheInnocentStarts() {
    assertThat(harness.warmUps)
        .singleElement()
        .matches(each -> each.function().uid().equals("innocent"));
  }

  private void connectAll() {
    while (!harness.warmUps.isEmpty()) {
      harness.connect();
    }
  }

  private void finishResets() {
    while (!harness.resets.isEmpty()) {
      harness.finishReset();
    }
  }

  private static List<ResolvedFunction> functions(String owner, int count, int timeoutSeconds) {
    return IntStream.range(0, count)
        .mapToObj(i -> function(owner + i, owner, timeoutSeconds))
        .toList();
  }

  private static ResolvedFunction function(String name, String owner, int timeoutSeconds) {
    return PoolHarness.function(name, traits(owner, timeoutSeconds));
  }

  private static Traits traits(String owner, int timeoutSeconds) {
    return Traits.of("echo").owner(owner).timeout(timeoutSeconds);
  }
}
