package io.easyfaas.controller.pool;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.controller.FakeRegistry.Traits;
import io.easyfaas.controller.pool.Placement.Decision;
import io.easyfaas.controller.pool.Placement.Demand;
import io.easyfaas.controller.registry.ResolvedFunction;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PlacementTest {
  private static final SlotState COLD = new SlotState.Cold();
  private static final PoolClock CLOCK = new PoolClock(() -> 0, InstantSource.system());
  private static final ByteSize ALL = ByteSize.ofMebibytes(512);

  private final PooledFunctions functions = new PooledFunctions(CLOCK);
  private int order;
  private final ResolvedFunction asking = PoolHarness.function("asking", Traits.of("echo"));
  private final ResolvedFunction large =
      PoolHarness.function("large", Traits.of("echo").memory(512));
  private final ResolvedFunction one = PoolHarness.function("one", Traits.of("echo"));
  private final ResolvedFunction two = PoolHarness.function("two", Traits.of("echo"));

  private final ResolvedFunction python =
      PoolHarness.function("python", Traits.of("echo"), "python3");

  @Test
  void firstColdSlotIsStarted() {
    assertThat(choose(List.of(warm(one, 1, 0), COLD, COLD), asks(asking)))
        .containsExactly(new Decision.Start(1, asking));
  }

  @Test
  void coldSlotWithoutMemoryIsNoUse() {
    SlotState stopping = new SlotState.Stopping(ALL, Reason.IDLE, 0, 0);

    assertThat(choose(List.of(COLD, stopping), asks(asking))).isEmpty();
  }

  @Test
  void leastRecentlyUsedIdleSlotsOfOthersMakeRoom() {
    List<SlotState> slots =
        List.of(warm(one, 0, 30), warm(two, 0, 10), warm(one, 0, 20), warm(two, 1, 0));

    assertThat(choose(slots, asks(asking))).containsExactly(new Decision.CoolDown(1));
    assertThat(choose(List.of(warm(one, 0, 30), warm(two, 0, 10), COLD), asks(large)))
        .containsExactly(new Decision.CoolDown(1), new Decision.CoolDown(0));
  }

  @Test
  void idleSlotsAreKeptWhenTakingThemWouldNotSuffice() {
    assertThat(choose(List.of(warm(one, 0, 0), warm(two, 1, 0), COLD), asks(large))).isEmpty();
  }

  @Test
  void resetUnderWayIsWaitedForRatherThanAnotherSlotTaken() {
    SlotState stopping =
        new SlotState.Stopping(ByteSize.ofMebibytes(128), Reason.IDLE, 0, millis(-999));

    assertThat(choose(List.of(warm(one, 0, 0), stopping), asks(asking))).isEmpty();
    assertThat(choose(List.of(warm(one, 0, 0), stopping), asks(asking), asks(two)))
        .containsExactly(new Decision.CoolDown(0));
  }

  @Test
  void demandThatWaitsKeepsItsClaim() {
    List<SlotState> slots = List.of(COLD, COLD, warm(one, 1, 0));

    assertThat(choose(slots, asks(large), asks(asking))).isEmpty();
    assertThat(choose(slots, asks(asking), asks(large)))
        .containsExactly(new Decision.Start(0, asking));
  }

  @Test
  void overdueDemandDrainsTheLeastBusySlotOfWhoHasMost() {
    ResolvedFunction wide = PoolHarness.function("wide", Traits.of("echo").concurrency(9));
    List<SlotState> slots = List.of(warm(one, 1, 0), warm(wide, 5, 0), warm(wide, 2, 0));

    assertThat(choose(slots, asks(asking))).isEmpty();
    assertThat(choose(slots, overdue(asking))).containsExactly(new Decision.Drain(2));
  }

  @Test
  void aSlotInUseIsTakenOnlyForWhoHasFewer() {
    SlotState mine = warm(asking, 1, 0);

    assertThat(choose(List.of(mine, warm(one, 0, millis(-2999))), asks(asking))).isEmpty();
    assertThat(choose(List.of(mine, warm(one, 0, millis(-3000))), asks(asking)))
        .containsExactly(new Decision.CoolDown(1));
    assertThat(choose(List.of(mine, warm(one, 0, 0), warm(one, 1, 0)), asks(asking)))
        .containsExactly(new Decision.CoolDown(1));
    assertThat(choose(List.of(warm(one, 0, 0)), asks(asking)))
        .containsExactly(new Decision.CoolDown(0));
  }

  @Test
  void aRunnerOfTheLanguageIsBetterThanAColdSlot() {
    assertThat(choose(List.of(COLD, prewarmed(asking), prewarmed(asking)), asks(asking), asks(one)))
        .containsExactly(new Decision.Start(1, asking), new Decision.Start(2, one));
    assertThat(choose(List.of(prewarmed(python), COLD), asks(asking)))
        .containsExactly(new Decision.Start(1, asking));
  }

  @Test
  void theMemoryOfAReadyRunnerIsTheFunctionsOwn() {
    List<SlotState> slots = List.of(warm(one, 1, 0), warm(two, 1, 0), prewarmed(asking));
    ResolvedFunction larger = PoolHarness.function("larger", Traits.of("echo").memory(256));

    assertThat(choose(slots, asks(larger))).containsExactly(new Decision.Start(2, larger));
    assertThat(choose(slots, asks(large))).isEmpty();
  }

  @Test
  void readyRunnersMakeRoomBeforeIdleSlots() {
    List<SlotState> slots = List.of(warm(one, 0, 0), prewarmed(python));

    assertThat(choose(slots, asks(asking))).containsExactly(new Decision.CoolDown(1));
  }

  @Test
  void frozenSlotsMakeRoomLikeIdleOnes() {
    SlotState.Warm used = (SlotState.Warm) warm(two, 0, 10);

    assertThat(choose(List.of(warm(one, 0, 20), used.freeze()), asks(asking)))
        .containsExactly(new Decision.CoolDown(1));
  }

  @Test
  void aRunnerThatStartsIsWaitedFor() {
    SlotState starting = prewarming(-999);

    assertThat(choose(List.of(warm(one, 0, 0), starting), asks(asking))).isEmpty();
  }

  @Test
  void whatTakesLongerThanASecondIsNotWaitedFor() {
    SlotState hangs =
        new SlotState.Stopping(ByteSize.ofMebibytes(128), Reason.IDLE, 0, millis(-1000));

    assertThat(choose(List.of(warm(one, 0, 0), prewarming(-1000)), asks(asking)))
        .containsExactly(new Decision.CoolDown(0));
    assertThat(choose(List.of(warm(one, 0, 0), hangs), asks(asking)))
        .containsExactly(new Decision.CoolDown(0));
  }

  @Test
  void aSlotThatDrainsIsNotWaitedForWhileAnotherIsIdle() {
    assertThat(choose(List.of(warm(one, 0, 0), draining(two)), asks(asking)))
        .containsExactly(new Decision.CoolDown(0));
  }

  @Test
  void oneSlotIsDrainedForAnOverdueDemandHoweverLongThatTakes() {
    List<SlotState> slots = List.of(draining(two), warm(one, 1, 0));

    assertThat(choose(slots, overdue(asking))).isEmpty();
    assertThat(choose(slots, overdue(asking), overdue(python)))
        .containsExactly(new Decision.Drain(1));
  }

  @Test
  void aSlotWhoseCallsMayTakeLongIsNotWaitedForWhenItDrains() {
    ResolvedFunction slow = PoolHarness.function("slow", Traits.of("echo").timeout(6));
    List<SlotState> slots = List.of(draining(slow), warm(one, 1, 0));

    assertThat(choose(slots, overdue(asking))).containsExactly(new Decision.Drain(1));
  }

  private List<Decision> choose(List<SlotState> slots, Demand... demands) {
    Map<ContainerId, SlotState> states = new LinkedHashMap<>();
    for (SlotState state : slots) {
      states.put(ContainerId.of("pod", states.size()), state);
    }
    Slots all = new Slots(states, ALL, functions, new Effects(), CLOCK);
    Room room = new Room(all, 0, new LongCalls(all, Duration.ofSeconds(5)));
    FairOrder inOrder = new FairOrder(room);
    Map<PooledAccount, List<Demand>> byAccount = new LinkedHashMap<>();
    for (Demand demand : demands) {
      byAccount.computeIfAbsent(demand.function().account, _ -> new ArrayList<>()).add(demand);
    }
    byAccount.values().forEach(its -> inOrder.add(its.iterator()));
    return Placement.choose(room, inOrder);
  }

  private Demand asks(ResolvedFunction function) {
    return new Demand(functions.of(function), order++, false);
  }

  private Demand overdue(ResolvedFunction function) {
    return new Demand(functions.of(function), order++, true);
  }

  private static long millis(int millis) {
    return Duration.ofMillis(millis).toNanos();
  }

  private SlotState prewarming(int since) {
    return new SlotState.Prewarming(python.runtime(), ByteSize.ofMebibytes(128), millis(since));
  }

  private SlotState draining(ResolvedFunction function) {
    return ((SlotState.Warm) warm(function, 1, 0)).drain(Reason.TIMEOUT);
  }

  private static SlotState prewarmed(ResolvedFunction function) {
    return new SlotState.Prewarmed(
        function.runtime(), ByteSize.ofMebibytes(128), PoolHarness.RUNNER);
  }

  private SlotState warm(ResolvedFunction function, int inFlight, long lastUsed) {
    return new SlotState.Warm(
        function,
        new Lease(
            functions.of(function),
            new Slot(0, ContainerId.of("pod", 0), new SlotState.Cold()),
            PoolHarness.RUNNER),
        inFlight,
        lastUsed);
  }
}
