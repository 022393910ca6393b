package io.easyfaas.controller.pool;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.controller.FakeRegistry.Traits;
import io.easyfaas.controller.pool.PoolHarness.Call;
import io.easyfaas.controller.pool.PoolHarness.Reset;
import io.easyfaas.controller.pool.PoolHarness.WarmUp;
import io.easyfaas.controller.registry.ResolvedFunction;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// What follows from the end of work on a slot, at once: nothing is left for the sweeper.
final class SlotLifeTest {
  private static final Duration SECOND = Duration.ofSeconds(1);
  private static final Duration FREEZE = Duration.ofSeconds(5);

  private final ResolvedFunction one = PoolHarness.function("one", Traits.of("echo"));
  private final ResolvedFunction two = PoolHarness.function("two", Traits.of("echo"));
  private final ResolvedFunction three = PoolHarness.function("three", Traits.of("echo"));

  @Test
  void aRunnerThatIsReadyIsGivenToWhoWaitsForIt() {
    PoolHarness harness = PoolHarness.withStandby(2, 256, 1);
    harness.call(one);
    harness.connect();
    harness.call(two);
    assertThat(harness.warmUps).isEmpty();

    harness.finishPrewarm();

    assertThat(harness.warmUps).extracting(WarmUp::function).containsExactly(two);
  }

  @Test
  void aSlotThatCannotBePausedIsTriedTwiceMoreAndThenReset() {
    PoolHarness harness = frozen(1);
    harness.freezes.clear();

    for (int pause = 1; pause <= 2; pause++) {
      harness.pool.tell(0, new SlotEvent.FreezeFailed());
      harness.pass(Duration.ofSeconds(pause).minusNanos(1));
      assertThat(harness.freezes).isEmpty();
      harness.pass(Duration.ofNanos(1));
      assertThat(harness.freezes).containsExactly(0);
      harness.pass(SECOND);
      assertThat(harness.freezes).as("once").hasSize(1);
      harness.freezes.clear();
    }
    harness.pool.tell(0, new SlotEvent.FreezeFailed());

    assertThat(harness.resets).containsExactly(new Reset(0, Reason.FREEZE_FAILED));
    assertThat(harness.pool.slots().getFirst().abnormalTimes()).isEqualTo(3);
  }

  @Test
  void aResetThatCannotBeginIsTriedAgain() {
    PoolHarness harness = new PoolHarness(1, 256);
    harness.noThread = true;

    harness.pool.invalidate(ContainerId.of("pod", 0));
    assertThat(harness.states()).containsExactly("Closed");
    assertThat(harness.pool.unready()).containsExactly(Unready.NO_SANDBOX);
    harness.noThread = false;
    harness.pass(SECOND);
    harness.finishReset();

    assertThat(harness.states()).containsExactly("Cold");
  }

  @Test
  void aWarmUpThatCannotBeginIsTriedInAnotherSlotAndThenTold() {
    PoolHarness harness = new PoolHarness(2, 256);
    harness.noThread = true;

    Call call = harness.call(one);

    assertThat(call.refusal).isInstanceOf(Refusal.WarmupFailed.class);
    assertThat(harness.states()).containsExactly("Closed", "Closed");
  }

  @Test
  void aPauseThatCannotBeginIsTriedAgain() {
    PoolHarness harness = PoolHarness.withQueue(1, 256, 10);
    Call first = harness.call(one);
    harness.connect();
    harness.release(first);
    harness.noThread = true;
    harness.pass(FREEZE);
    assertThat(harness.states()).containsExactly("Frozen");
    harness.noThread = false;
    harness.pass(SECOND);
    assertThat(harness.freezes).containsExactly(0);

    harness.noThread = true;
    Call call = harness.call(one);

    assertThat(harness.states()).as("its end could not begin").containsExactly("Closed");
    assertThat(call.refusal).as("it waits for another slot").isNull();
  }

  @Test
  void aFrozenSlotThatNobodyCallsIsResetInTheEnd() {
    PoolHarness harness = frozen(1);

    harness.pass(Duration.ofSeconds(55).minusNanos(1));
    assertThat(harness.resets).isEmpty();
    harness.pass(Duration.ofNanos(1));

    assertThat(harness.resets).containsExactly(new Reset(0, Reason.IDLE));
  }

  @Test
  void anIdleSlotIsFrozenInTimeAndNotBefore() {
    PoolHarness harness = PoolHarness.withStandby(1, 256, 0);
    Call call = harness.call(one);
    harness.connect();
    harness.release(call);

    harness.pass(FREEZE.minusNanos(1));
    assertThat(harness.freezes).isEmpty();
    harness.pass(Duration.ofNanos(1));

    assertThat(harness.freezes).containsExactly(0);
  }

  @Test
  void whoWaitsForASlotThatCannotBeContinuedGetsAnother() {
    PoolHarness harness = frozen(2);
    Call call = harness.call(one);
    int broken = harness.thaws.removeFirst();

    harness.pool.tell(broken, new SlotEvent.ThawFailed());

    assertThat(harness.resets).containsExactly(new Reset(broken, Reason.THAW_FAILED));
    assertThat(harness.pool.slots().get(broken).abnormalTimes()).isEqualTo(1);
    assertThat(harness.thaws).containsExactly(1 - broken);
    harness.finishThaw();
    assertThat(call.lease).isNotNull();
  }

  @Test
  void aSlotIsMadeForWhoWaitsForOneThatCannotBeContinued() {
    PoolHarness harness = frozen(1, 2);
    harness.call(one);

    harness.pool.tell(harness.thaws.removeFirst(), new SlotEvent.ThawFailed());

    assertThat(harness.warmUps).extracting(WarmUp::slot).containsExactly(1);
  }

  @Test
  void whoWaitsForASlotWhoseRunnerIsLostGetsAnother() {
    PoolHarness harness = frozen(2);
    harness.call(one);
    int lost = harness.thaws.removeFirst();
    Lease lease = ((SlotState.Thawing) harness.state(lost)).lease();

    assertThat(harness.pool.lost(lease, Reason.RUNNER_EXITED)).isTrue();

    assertThat(harness.thaws).containsExactly(1 - lost);
    assertThat(harness.pool.slots().get(lost).abnormalTimes()).isEqualTo(1);
    assertThat(harness.pool.lost(lease, Reason.RUNNER_EXITED)).as("it is lost").isFalse();
  }

  @Test
  void aSlotIsMadeForWhoWaitsForOneWhoseRunnerIsLost() {
    PoolHarness harness = frozen(1, 2);
    harness.call(one);
    Lease lease = ((SlotState.Thawing) harness.state(0)).lease();

    assertThat(harness.pool.lost(lease, Reason.RUNNER_EXITED)).isTrue();

    assertThat(harness.warmUps).extracting(WarmUp::slot).containsExactly(1);
  }

  @Test
  void aWarmUpThatFailsIsTriedOnceMoreAtOnce() {
    PoolHarness harness = new PoolHarness(2, 256);
    Call call = harness.call(one);

    for (int slot = 0; slot < 2; slot++) {
      assertThat(harness.warmUps.removeFirst().slot()).isEqualTo(slot);
      harness.pool.tell(slot, new SlotEvent.WarmupFailed("EIO", true));
    }

    assertThat(call.refusal).isEqualTo(new Refusal.WarmupFailed("EIO", true));
    assertThat(harness.pool.slots()).extracting(SlotView::rejected).containsExactly(0L, 1L);
    assertThat(harness.pool.slots()).extracting(SlotView::abnormalTimes).containsExactly(1, 1);
  }

  @Test
  void aFunctionThatCannotBeLoadedTellsAllWhoWait() {
    PoolHarness harness = new PoolHarness(1, 128);
    List<Call> calls = List.of(harness.call(one), harness.call(one));
    byte[] error = {1};

    harness.pool.tell(0, new SlotEvent.LoadFailed(error, List.of()));

    assertThat(calls)
        .allSatisfy(
            call -> assertThat(call.refusal).isEqualTo(new Refusal.LoadFailed(error, List.of())));
    assertThat(harness.resets).containsExactly(new Reset(0, Reason.LOAD_FAILED));
    assertThat(harness.pool.slots().getFirst().rejected()).isEqualTo(2);
    assertThat(harness.pool.slots().getFirst().abnormalTimes()).isEqualTo(1);
  }

  @Test
  void aSandboxThatIsNewAfterAFailedLoadIsGivenToWhoWaits() {
    PoolHarness harness = new PoolHarness(1, 128);
    Call fails = harness.call(one);
    harness.call(two);
    harness.warmUps.clear();
    byte[] error = {1};

    harness.pool.tell(0, new SlotEvent.LoadEnded(error, List.of()));

    assertThat(fails.refusal).isEqualTo(new Refusal.LoadFailed(error, List.of()));
    assertThat(harness.resets).as("it is new").isEmpty();
    assertThat(harness.warmUps).extracting(WarmUp::function).containsExactly(two);
    assertThat(harness.pool.slots().getFirst().rejected()).isEqualTo(1);
    assertThat(harness.pool.slots().getFirst().abnormalTimes()).isEqualTo(1);
  }

  @Test
  void whoCountedOnAResetThatFailsLooksElsewhereAtOnce() {
    PoolHarness harness = new PoolHarness(2, 256);
    Call lost = harness.call(one);
    harness.connect();
    Call done = harness.call(two);
    harness.connect();
    harness.release(done);
    harness.now += Duration.ofSeconds(4).toNanos();
    harness.pool.lost(lost.leaseOrFail(), Reason.RUNNER_EXITED);
    harness.call(three);
    assertThat(harness.states()).containsExactly("Stopping", "Warm");

    harness.pool.tell(0, new SlotEvent.ResetFailed(false));

    assertThat(harness.states()).containsExactly("Closed", "Stopping");
    assertThat(harness.resets).containsExactly(new Reset(1, Reason.MAKE_ROOM));
    assertThat(harness.pool.slots().getFirst().abnormalTimes()).isEqualTo(2);
  }

  @Test
  void aResetThatNobodyHeardOfIsTriedAgainAfterASecondHoweverOften() {
    PoolHarness harness = new PoolHarness(1, 256);
    Call lost = harness.call(one);
    harness.connect();
    harness.pool.lost(lost.leaseOrFail(), Reason.RUNNER_EXITED);

    for (int i = 0; i < 5; i++) {
      harness.pool.tell(0, new SlotEvent.ResetFailed(true));
      harness.pass(SECOND);
      assertThat(harness.resets).containsExactly(new Reset(0, Reason.RUNNER_EXITED));
      harness.resets.clear();
    }
  }

  @Test
  void onlyASlotThatThereIsCanBeInvalidated() {
    PoolHarness harness = new PoolHarness(2, 256);

    assertThat(harness.pool.invalidate(ContainerId.of("pod", 2))).isFalse();
    assertThat(harness.pool.invalidate(ContainerId.of("pod", 1))).isTrue();

    assertThat(harness.resets).containsExactly(new Reset(1, Reason.INVALIDATED));
  }

  @Test
  void aDrainedSlotTakesNoMoreCallsAndIsResetAfterItsLast() {
    ResolvedFunction ten = PoolHarness.function("ten", Traits.of("echo").concurrency(10));
    PoolHarness harness = new PoolHarness(2, 256);
    Call running = harness.call(ten);
    harness.connect();

    harness.pool.drain(running.leaseOrFail(), Reason.TIMEOUT);
    harness.call(ten);

    assertThat(harness.warmUps).extracting(WarmUp::slot).containsExactly(1);
    assertThat(harness.resets).isEmpty();
    harness.release(running);
    assertThat(harness.resets).containsExactly(new Reset(0, Reason.TIMEOUT));
  }

  /// A pool all of whose slots are paused, for `one`.
  private PoolHarness frozen(int slots) {
    return frozen(slots, slots);
  }

  private PoolHarness frozen(int frozen, int slots) {
    PoolHarness harness = PoolHarness.withStandby(slots, 256, 0);
    List<Call> calls = IntStream.range(0, frozen).mapToObj(_ -> harness.call(one)).toList();
    calls.forEach(_ -> harness.connect());
    calls.forEach(harness::release);
    harness.pass(FREEZE);
    return harness;
  }
}
