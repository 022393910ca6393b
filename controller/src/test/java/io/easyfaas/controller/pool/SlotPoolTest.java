package io.easyfaas.controller.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.controller.FakeRegistry;
import io.easyfaas.controller.FakeRegistry.Traits;
import io.easyfaas.controller.pool.PoolHarness.Call;
import io.easyfaas.controller.pool.PoolHarness.WarmUp;
import io.easyfaas.controller.registry.ResolvedFunction;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SlotPoolTest {
  private final ResolvedFunction one = PoolHarness.function("one", Traits.of("echo"));
  private final ResolvedFunction ten =
      PoolHarness.function("ten", Traits.of("echo").concurrency(10));

  @Test
  void slotUsedLastIsUsedAgainSoThatOthersMayCoolDown() {
    PoolHarness harness = new PoolHarness(3, 1024);
    List<Call> calls = IntStream.range(0, 3).mapToObj(_ -> harness.call(one)).toList();
    IntStream.range(0, 3).forEach(_ -> harness.connect());
    for (Call call : List.of(calls.get(2), calls.get(0), calls.get(1))) {
      harness.now += 1000;
      harness.release(call);
    }

    assertThat(harness.call(one).leaseOrFail().slotIndex()).isEqualTo(1);
    assertThat(harness.call(one).leaseOrFail().slotIndex()).isEqualTo(0);
    assertThat(harness.call(one).leaseOrFail().slotIndex()).isEqualTo(2);
  }

  @Test
  void slotThatBecameWarmLastCountsAsUsedLast() {
    PoolHarness harness = new PoolHarness(2, 1024);
    List<Call> calls = List.of(harness.call(one), harness.call(one));
    harness.connect();
    calls.forEach(harness::release);
    harness.now += 1000;
    harness.connect();

    assertThat(harness.call(one).leaseOrFail().slotIndex()).isEqualTo(1);
    assertThat(harness.call(one).leaseOrFail().slotIndex()).isEqualTo(0);
  }

  @Test
  void slotThawedLastCountsAsUsedLast() {
    PoolHarness harness = PoolHarness.withStandby(2, 1024, 0);
    List<Call> calls = List.of(harness.call(one), harness.call(one));
    harness.connect();
    harness.connect();
    harness.release(calls.getFirst());
    harness.pass(Duration.ofSeconds(5));
    Call waiting = harness.call(one);
    harness.pool.withdraw(one, waiting);
    harness.release(calls.getLast());
    harness.now += 1000;
    harness.finishThaw();

    assertThat(harness.call(one).leaseOrFail().slotIndex()).isEqualTo(0);
    assertThat(harness.call(one).leaseOrFail().slotIndex()).isEqualTo(1);
  }

  @Test
  void leaseGivenBackOnceTooOftenIsRefused() {
    PoolHarness harness = new PoolHarness(1, 1024);
    Call call = harness.call(one);
    harness.connect();
    harness.release(call);

    assertThatThrownBy(() -> harness.release(call)).hasMessageContaining("nothing is in flight");
    assertThat(harness.pool.inFlight()).isZero();
  }

  @Test
  void functionResolvedAgainHasItsNewLimitAtOnce() {
    PoolHarness harness = new PoolHarness(1, 1024);
    ResolvedFunction limited =
        PoolHarness.function("ten", Traits.of("echo").concurrency(10).reserved(1));
    Call first = harness.call(ten);
    Call second = harness.call(limited);
    harness.connect();

    assertThat(first.lease).isNotNull();
    assertThat(second.lease).as("the limit holds for a warm-up that began before").isNull();
    harness.release(first);
    assertThat(second.lease).isNotNull();
  }

  @Test
  void callsWaitForASlotThatIsWarmingUpRatherThanStartAnother() {
    PoolHarness harness = new PoolHarness(4, 1024);
    List<Call> calls = IntStream.range(0, 20).mapToObj(_ -> harness.call(ten)).toList();

    assertThat(harness.warmUps).hasSize(2);
    harness.connect();
    assertThat(calls.stream().filter(call -> call.lease != null)).hasSize(10);
    harness.connect();

    assertThat(calls).allMatch(call -> call.lease != null && call.told == 1);
  }

  @Test
  void warmUpIsNamedAfterTheCallThatNeedsIt() {
    PoolHarness harness = new PoolHarness(4, 1024);
    IntStream.range(0, 11).forEach(_ -> harness.call(ten));

    assertThat(harness.warmUps).extracting(WarmUp::requestId).containsExactly("call-0", "call-10");
  }

  @Test
  void releasedPermitGoesToTheCallThatWaitedLongest() {
    PoolHarness harness = new PoolHarness(1, 1024);
    Call first = harness.call(one);
    harness.connect();
    Call second = harness.call(one);
    Call third = harness.call(one);

    harness.release(first);

    assertThat(second.lease).isNotNull();
    assertThat(third.lease).isNull();
  }

  @Test
  void newCallDoesNotOvertakeThoseThatWait() {
    PoolHarness harness = new PoolHarness(2, 1024);
    ResolvedFunction limited = PoolHarness.function("limited", Traits.of("echo").reserved(1));
    Call first = harness.call(limited);
    harness.connect();
    Call second = harness.call(limited);
    harness.release(first);
    Call third = harness.call(limited);

    assertThat(second.lease).isNotNull();
    assertThat(third.lease).isNull();
  }

  @Test
  void largeFunctionIsNotStarvedBySmallOnes() {
    PoolHarness harness = new PoolHarness(4, 512);
    ResolvedFunction large = PoolHarness.function("large", Traits.of("echo").memory(512));
    Call running = harness.call(one);
    harness.connect();
    Call waiting = harness.call(large);
    ResolvedFunction small = PoolHarness.function("small", Traits.of("echo"));

    Call later = harness.call(small);
    harness.release(running); // Idle now, so it makes room for the large one.

    assertThat(later.lease).isNull();
    harness.finishReset();
    assertThat(harness.warmUps).extracting(WarmUp::function).containsExactly(large);
    harness.connect();
    assertThat(waiting.lease).isNotNull();
  }

  @Test
  void overdueFunctionTakesOneSlotOfTheGreediestOnly() {
    PoolHarness harness = new PoolHarness(4, 512);
    List<Call> greedy = IntStream.range(0, 8).mapToObj(_ -> harness.call(one)).toList();
    IntStream.range(0, 4).forEach(_ -> harness.connect());
    ResolvedFunction modest = PoolHarness.function("modest", Traits.of("echo"));
    List<Call> modestCalls = IntStream.range(0, 4).mapToObj(_ -> harness.call(modest)).toList();

    harness.pass(Duration.ofMillis(999));
    assertThat(harness.states()).doesNotContain("Draining");
    harness.pass(Duration.ofMillis(1));

    assertThat(harness.states()).containsOnlyOnce("Draining");
    int drained = harness.states().indexOf("Draining");
    harness.release(
        greedy.stream()
            .filter(call -> call.lease != null && call.lease.slotIndex() == drained)
            .findFirst()
            .orElseThrow());
    harness.finishReset();
    assertThat(harness.warmUps).extracting(WarmUp::function).containsExactly(modest);
    harness.connect();
    assertThat(modestCalls.getFirst().lease).isNotNull();
  }

  @Test
  void functionThatWasPushedAsideDoesNotPushBackAtOnce() {
    PoolHarness harness = new PoolHarness(1, 128);
    Call running = harness.call(one);
    harness.connect();
    Call older = harness.call(one);
    Call modest = harness.call(PoolHarness.function("modest", Traits.of("echo")));

    harness.pass(Duration.ofSeconds(1));
    harness.release(running);
    harness.finishReset();
    harness.connect();

    assertThat(modest.lease).isNotNull();
    assertThat(older.lease).isNull();
    harness.release(modest);
    harness.finishReset();
    harness.connect();
    assertThat(older.lease).isNotNull();
  }

  @Test
  void memoryOfASlotWhoseResetFailedStaysReserved() {
    PoolHarness harness = new PoolHarness(2, 256);
    ResolvedFunction half = PoolHarness.function("half", Traits.of("echo").memory(200));
    Call call = harness.call(half);
    harness.connect();

    assertThat(harness.pool.lost(call.leaseOrFail(), Reason.RUNNER_EXITED)).isTrue();
    harness.pool.tell(0, new SlotEvent.ResetFailed(false));
    Call next = harness.call(half);

    assertThat(harness.pool.usage().marked().mebibytes()).isEqualTo(200);
    assertThat(next.lease).isNull();
    assertThat(harness.warmUps).isEmpty();
  }

  @Test
  void failedResetsAreRetriedWithGrowingPauses() {
    PoolHarness harness = new PoolHarness(1, 256);
    harness.call(one);
    harness.connect();
    harness.pool.invalidate(ContainerId.of("pod", 0));
    Lease lease = ((SlotState.Draining) harness.state(0)).lease();
    harness.pool.lost(lease, Reason.RUNNER_EXITED);
    for (int pause = 1; pause <= 64; pause *= 2) {
      harness.pool.tell(0, new SlotEvent.ResetFailed(false));
      harness.pass(Duration.ofSeconds(pause).minusNanos(1));
      assertThat(harness.resets).isEmpty();
      harness.pass(Duration.ofNanos(1));
      assertThat(harness.resets).hasSize(1);
      harness.resets.clear();
    }
  }

  @Test
  void bytesOfWaitingCallsAreBounded() {
    PoolHarness harness = new PoolHarness(1, 256, 1000, 25);
    harness.call(one);
    harness.call(one);

    Call third = harness.call(one);

    assertThat(third.refusal)
        .isEqualTo(
            new Refusal.Overloaded("calls with 20 bytes wait already; --max-queue-bytes is 25B"));
  }

  @Test
  void callThatAWarmingSlotWillTakeIsNotRefusedForWaiting() {
    PoolHarness harness = new PoolHarness(1, 256);
    Call covered = harness.call(one);
    Call other = harness.call(one);

    harness.pass(Duration.ofSeconds(6));

    assertThat(covered.told).isZero();
    assertThat(other.refusal).isEqualTo(new Refusal.Overloaded("no slot in 5000ms"));
  }

  @Test
  void sweepTellsWhenTheNextCallIsDue() {
    PoolHarness harness = new PoolHarness(1, 256);
    assertThat(harness.pool.sweep()).isEmpty();
    harness.call(one);
    harness.call(one);
    harness.now += Duration.ofSeconds(2).toNanos();

    assertThat(harness.pool.sweep()).hasValue(Duration.ofSeconds(3).toNanos());
  }

  @Test
  void lessMemoryThanIsUsedStopsNewSlotsOnly() {
    PoolHarness harness = new PoolHarness(4, 512);
    Call call = harness.call(one);
    harness.connect();

    harness.pool.allocatable(ByteSize.ofMebibytes(128));
    Call next = harness.call(PoolHarness.function("two", Traits.of("echo")));

    assertThat(next.told).isZero();
    assertThat(harness.warmUps).isEmpty();
    harness.release(call);
    harness.finishReset();
    assertThat(harness.warmUps).hasSize(1);
  }

  @Test
  void theStandbyIsFilledWhenNothingWarmsUpAndNobodyWaits() {
    PoolHarness standing = PoolHarness.withStandby(3, 1024, 1);
    standing.call(PoolHarness.function("a", Traits.of("echo")));
    standing.call(PoolHarness.function("b", Traits.of("echo")));
    standing.connect();
    standing.pass(Duration.ofSeconds(1));
    assertThat(standing.prewarms).isEmpty();

    standing.connect();
    assertThat(standing.prewarms).extracting(PoolHarness.Prewarm::slot).containsExactly(2);
  }

  @Test
  void aRuntimeWhoseCommandIsCodeDoesNotStandBy() {
    PoolHarness standing = PoolHarness.withStandby(3, 1024, 1);
    ResolvedFunction custom =
        ResolvedFunction.of(
            FakeRegistry.document("custom", "brn:custom", Traits.of("echo")),
            new RuntimeConfiguration(
                "custom", "/bin/bash", "/opt", List.of("/var/task/bootstrap"), List.of()));
    standing.call(custom);
    standing.connect();

    assertThat(custom.runtime().startsWithoutCode()).isFalse();
    assertThat(standing.prewarms).isEmpty();
  }

  @Test
  void closingRefusesThoseThatWaitAndThoseThatCome() {
    PoolHarness harness = new PoolHarness(1, 256);
    Call waits = harness.call(one);

    harness.pool.close();

    assertThat(waits.refusal).isInstanceOf(Refusal.Stopping.class);
    assertThat(harness.call(one).refusal).isInstanceOf(Refusal.Stopping.class);
  }

  @Test
  void closedPoolGrantsNothingThoughASlotIsWarm() {
    PoolHarness harness = new PoolHarness(1, 256);
    Call call = harness.call(one);
    harness.connect();
    harness.release(call);

    harness.pool.close();

    assertThat(harness.call(one).refusal).isInstanceOf(Refusal.Stopping.class);
    assertThat(harness.pool.inFlight()).isZero();
  }

  @Test
  void quotaThatChangesWithoutANewRevisionLeavesNoCallBehind() {
    ResolvedFunction wide = PoolHarness.function("one", Traits.of("echo").concurrency(10));
    PoolHarness harness = PoolHarness.withStandby(2, 1024, 0);
    Call first = harness.call(one);
    harness.connect();
    harness.release(first);
    harness.pass(Duration.ofSeconds(5));
    assertThat(harness.state(0)).isInstanceOf(SlotState.Frozen.class);

    Call thaws = harness.call(wide);
    harness.finishThaw();
    Call next = harness.call(wide);

    assertThat(thaws.lease).isNotNull();
    assertThat(harness.warmUps).as("the thawed slot has the old quota").hasSize(1);
    harness.connect();
    assertThat(next.lease).isNotNull();
  }

  @Test
  void aWarmUpThatNeverEndsDoesNotKeepItsCallsForEver() {
    PoolHarness harness = new PoolHarness(1, 256);
    Call covered = harness.call(one);

    for (int i = 0; i < 60; i++) {
      harness.pass(Duration.ofSeconds(5));
    }

    assertThat(covered.refusal).isInstanceOf(Refusal.Overloaded.class);
    assertThat(harness.pool.usage().waiting()).isZero();
  }

  @Test
  void functionThatNeverFitsIsToldSoOnce() {
    PoolHarness harness = new PoolHarness(2, 256);

    Call huge = harness.call(PoolHarness.function("huge", Traits.of("echo").memory(257)));
    Call off = harness.call(PoolHarness.function("off", Traits.of("echo").reserved(0)));

    assertThat(huge.refusal)
        .isEqualTo(new Refusal.NeverFits("function needs 257MiB, there is 256MiB"));
    assertThat(off.refusal).isEqualTo(new Refusal.NeverFits("reserved concurrency is 0"));
  }

  @Test
  void functionThatFitsNoMoreIsToldSoWhileItWaits() {
    PoolHarness harness = new PoolHarness(2, 256);
    Call running = harness.call(one);
    harness.connect();
    Call waits = harness.call(PoolHarness.function("half", Traits.of("echo").memory(200)));

    harness.pool.allocatable(ByteSize.ofMebibytes(128));

    assertThat(waits.refusal)
        .isEqualTo(new Refusal.NeverFits("function needs 200MiB, there is 128MiB"));
    assertThat(running.lease).isNotNull();
  }

  @Test
  void anIdleSlotIsTakenThoughABusyOneWillBeFreeOneDay() {
    PoolHarness harness = new PoolHarness(2, 256);
    ResolvedFunction two = PoolHarness.function("two", Traits.of("echo"));
    Call busy = harness.call(one);
    harness.connect();
    Call done = harness.call(two);
    harness.connect();
    harness.release(done);
    harness.pool.drain(busy.leaseOrFail(), Reason.TIMEOUT);

    Call third = harness.call(PoolHarness.function("three", Traits.of("echo")));
    harness.finishReset();
    harness.connect();

    assertThat(harness.states().getFirst()).isEqualTo("Draining");
    assertThat(third.lease).isNotNull();
  }

  @Test
  void aResetThatHangsIsNotWaitedForWhileAnIdleSlotStandsBy() {
    PoolHarness harness = new PoolHarness(2, 256);
    ResolvedFunction two = PoolHarness.function("two", Traits.of("echo"));
    Call lost = harness.call(one);
    harness.connect();
    Call done = harness.call(two);
    harness.connect();
    harness.release(done);
    harness.pool.lost(lost.leaseOrFail(), Reason.RUNNER_EXITED);

    harness.call(PoolHarness.function("three", Traits.of("echo")));
    assertThat(harness.states())
        .as("a reset takes milliseconds")
        .containsExactly("Stopping", "Warm");
    harness.pass(Duration.ofSeconds(1));

    assertThat(harness.states()).containsExactly("Stopping", "Stopping");
  }

  @Test
  void aRunnerThatHangsInItsStartIsNotWaitedForWhileAnIdleSlotStandsBy() {
    PoolHarness harness = PoolHarness.withStandby(2, 256, 1);
    Call done = harness.call(one);
    harness.connect();
    harness.release(done);
    assertThat(harness.states()).containsExactly("Warm", "Prewarming");

    harness.call(PoolHarness.function("three", Traits.of("echo")));
    assertThat(harness.states()).containsExactly("Warm", "Prewarming");
    harness.pass(Duration.ofSeconds(1));

    assertThat(harness.states()).containsExactly("Stopping", "Prewarming");
  }

  @Test
  void aCallWhoseWarmUpFailedWaitsAnewFromThen() {
    PoolHarness harness = new PoolHarness(1, 256);
    Call call = harness.call(one);
    harness.pass(Duration.ofSeconds(4));
    harness.pool.tell(
        harness.warmUps.removeFirst().slot(), new SlotEvent.WarmupFailed("EIO", false));

    harness.pass(Duration.ofSeconds(4));
    assertThat(call.refusal).as("8 s after it came, of which it waited 4").isNull();
    harness.pass(Duration.ofSeconds(2));

    assertThat(call.refusal).isInstanceOf(Refusal.Overloaded.class);
  }

  @Test
  void whoFailsWhenItIsGrantedASlotDoesNotKeepTheNextFromIt() {
    PoolHarness harness = new PoolHarness(1, 256);
    Waiter broken =
        new Waiter() {
          @Override
          public String label() {
            return "broken";
          }

          @Override
          public int weight() {
            return 0;
          }

          @Override
          public void granted(Lease lease) {
            throw new IllegalStateException("a defect");
          }

          @Override
          public void refused(Refusal refusal) {}
        };
    assertThat(harness.pool.acquire(ten, broken)).isInstanceOf(Acquisition.Queued.class);
    Call next = harness.call(ten);

    harness.connect();

    assertThat(next.lease).isNotNull();
  }

  @Test
  void aRuntimeThatJustFailedToStartIsNotPrewarmedAtOnce() {
    PoolHarness harness = PoolHarness.withStandby(2, 256, 1);
    harness.call(one);

    harness.pool.tell(
        harness.warmUps.removeFirst().slot(), new SlotEvent.RunnerNotStarted("no HELLO"));
    harness.pool.tell(
        harness.warmUps.removeFirst().slot(), new SlotEvent.RunnerNotStarted("no HELLO"));
    harness.finishReset();
    harness.finishReset();

    assertThat(harness.prewarms).isEmpty();
    harness.pass(Duration.ofMinutes(1));
    assertThat(harness.prewarms).hasSize(1);
  }

  @Test
  void memoryThatBecomesFreeIsGivenAtOnce() {
    PoolHarness harness = new PoolHarness(2, 128);
    harness.call(one);
    harness.connect();
    harness.call(PoolHarness.function("two", Traits.of("echo")));

    harness.pool.allocatable(ByteSize.ofMebibytes(256));

    assertThat(harness.warmUps).hasSize(1);
  }

  @Test
  void aLimitThatIsRaisedLetsThoseThatWaitGoOn() {
    PoolHarness harness = new PoolHarness(1, 256);
    ResolvedFunction limited =
        PoolHarness.function("ten", Traits.of("echo").concurrency(10).reserved(1));
    harness.call(limited);
    harness.connect();
    Call waits = harness.call(limited);
    assertThat(waits.lease).isNull();

    Call next = harness.call(ten);

    assertThat(waits.lease).isNotNull();
    assertThat(next.lease).isNotNull();
  }

  @Test
  void aLimitThatBecomesZeroRefusesThoseThatWait() {
    PoolHarness harness = new PoolHarness(1, 256);
    harness.call(one);
    harness.connect();
    Call waits = harness.call(one);

    Call next = harness.call(PoolHarness.function("one", Traits.of("echo").reserved(0)));

    assertThat(waits.refusal).isEqualTo(new Refusal.NeverFits("reserved concurrency is 0"));
    assertThat(next.refusal).isEqualTo(waits.refusal);
  }
}
