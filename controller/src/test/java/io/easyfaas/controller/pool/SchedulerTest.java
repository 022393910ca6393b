package io.easyfaas.controller.pool;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.controller.FakeRegistry.Traits;
import io.easyfaas.controller.pool.PoolHarness.Call;
import io.easyfaas.controller.pool.PoolHarness.WarmUp;
import io.easyfaas.controller.registry.ResolvedFunction;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// What a permit that comes back, a call that leaves and slots on their way do for those who wait,
/// at once: nothing is left for the sweeper.
final class SchedulerTest {
  private final ResolvedFunction one = PoolHarness.function("one", Traits.of("echo"));
  private final ResolvedFunction two = PoolHarness.function("two", Traits.of("echo"));
  private final ResolvedFunction limited =
      PoolHarness.function("one", Traits.of("echo").reserved(1));

  @Test
  void aLeaseOfASlotThatIsGoneLetsAnotherSlotsPermitBeUsed() {
    PoolHarness harness = new PoolHarness(2, 1024);
    List<Call> running = List.of(harness.call(one), harness.call(one));
    harness.connect();
    harness.connect();
    Call lost = running.getFirst();
    harness.pool.lost(lost.leaseOrFail(), Reason.RUNNER_EXITED);
    harness.release(running.getLast());
    Call next = harness.call(limited);
    assertThat(next.lease).as("one runs still, as far as the limit is concerned").isNull();

    harness.release(lost);

    assertThat(next.leaseOrFail()).isSameAs(running.getLast().lease);
  }

  @Test
  void aLeaseOfASlotThatIsGoneLetsASlotBeMade() {
    PoolHarness harness = new PoolHarness(1, 1024);
    Call lost = harness.call(limited);
    harness.connect();
    harness.pool.lost(lost.leaseOrFail(), Reason.RUNNER_EXITED);
    harness.pool.tell(0, new SlotEvent.ResetDone());
    harness.call(limited);
    assertThat(harness.warmUps).isEmpty();

    harness.release(lost);

    assertThat(harness.warmUps).extracting(WarmUp::slot).containsExactly(0);
  }

  @Test
  void aFunctionWithoutSlotsAndCallsIsForgotten() {
    PoolHarness harness = new PoolHarness(1, 1024);
    Call lost = harness.call(PoolHarness.function("f", Traits.of("echo").owner("gone")));
    harness.connect();
    harness.pool.lost(lost.leaseOrFail(), Reason.RUNNER_EXITED);
    harness.pool.tell(0, new SlotEvent.ResetDone());

    harness.release(lost);

    Call next = harness.call(one);
    harness.connect();
    IntStream.range(0, 3).forEach(_ -> harness.call(one));
    harness.now += Duration.ofSeconds(1).toNanos();
    assertThat(next.lease).isNotNull();
    assertThat(harness.pool.unready())
        .as("the only account there is has waited for a second, with no more than its share")
        .containsExactly(Unready.FULL);
  }

  @Test
  void aCallThatGetsAPermitKeepsNoRoomFromOthers() {
    ResolvedFunction wide =
        PoolHarness.function("wide", Traits.of("echo").memory(200).concurrency(2));
    PoolHarness harness = new PoolHarness(2, 328);
    Call first = harness.call(wide);
    harness.connect();
    harness.call(wide);
    Call claims = harness.call(wide);
    harness.call(two);
    assertThat(harness.warmUps).as("128 MiB are kept for the other").isEmpty();

    harness.release(first);

    assertThat(claims.lease).isNotNull();
    assertThat(harness.warmUps).extracting(WarmUp::function).containsExactly(two);
  }

  @Test
  void anIdleSlotIsTakenAtOnceForWhoWaits() {
    PoolHarness harness = new PoolHarness(1, 128);
    Call running = harness.call(one);
    harness.connect();
    harness.call(two);

    harness.release(running);

    assertThat(harness.resets).hasSize(1);
    harness.finishReset();
    assertThat(harness.warmUps).extracting(WarmUp::function).containsExactly(two);
  }

  @Test
  void whatWasKeptForACallThatLeavesIsOthers() {
    PoolHarness harness = new PoolHarness(2, 256);
    ResolvedFunction large = PoolHarness.function("large", Traits.of("echo").memory(256));
    harness.call(one);
    harness.connect();
    Call leaves = harness.call(large);
    harness.call(two);
    assertThat(harness.warmUps).isEmpty();

    assertThat(harness.pool.withdraw(large, leaves)).isTrue();

    assertThat(harness.warmUps).extracting(WarmUp::function).containsExactly(two);
    assertThat(harness.pool.withdraw(large, leaves)).as("it has left").isFalse();
    assertThat(leaves.told).isZero();
  }

  @Test
  void onlyACallThatWaitsCanLeave() {
    PoolHarness harness = new PoolHarness(1, 128);
    Call running = harness.call(one);
    harness.connect();
    Call waits = harness.call(one);

    assertThat(harness.pool.withdraw(one, running)).isFalse();
    assertThat(harness.pool.withdraw(two, waits)).isFalse();
    assertThat(harness.pool.usage().waiting()).isEqualTo(1);
    assertThat(harness.pool.inFlight()).isEqualTo(1);
  }

  @Test
  void slotsThatAreMadeAnewAreAsGoodAsServed() {
    PoolHarness harness = new PoolHarness(2, 1024, 1, 1 << 20, Duration.ofSeconds(5), 1);
    Call lost = harness.call(one);
    harness.connect();
    harness.pool.lost(lost.leaseOrFail(), Reason.RUNNER_EXITED);
    assertThat(harness.states()).containsExactly("Stopping", "Prewarming");

    assertWaitAndOneIsRefused(harness, 3, one);
  }

  @Test
  void callsThatAWarmUpWillTakeAreAsGoodAsServed() {
    ResolvedFunction ten = PoolHarness.function("ten", Traits.of("echo").concurrency(10));
    PoolHarness harness = PoolHarness.withQueue(1, 128, 1);

    assertWaitAndOneIsRefused(harness, 11, ten);
  }

  @Test
  void theCallThatAThawedSlotWillTakeIsAsGoodAsServed() {
    PoolHarness harness = PoolHarness.withQueue(1, 128, 1);
    harness.call(one);
    Lease lease = harness.connect();
    harness.pool.release(lease);
    harness.pass(Duration.ofSeconds(5));
    assertThat(harness.states()).containsExactly("Frozen");

    assertWaitAndOneIsRefused(harness, 2, one);
  }

  private static void assertWaitAndOneIsRefused(
      PoolHarness harness, int count, ResolvedFunction function) {
    for (int i = 0; i < count; i++) {
      assertThat(harness.call(function).told).as("call %d", i).isZero();
    }
    assertThat(harness.call(function).refusal).isInstanceOf(Refusal.Overloaded.class);
    assertThat(harness.pool.usage().waiting()).isEqualTo(count);
  }
}
