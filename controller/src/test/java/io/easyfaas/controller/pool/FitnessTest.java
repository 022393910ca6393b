package io.easyfaas.controller.pool;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.controller.FakeRegistry.Traits;
import io.easyfaas.controller.pool.PoolHarness.Call;
import io.easyfaas.controller.registry.ResolvedFunction;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/// Whether calls may come, and what is done to find that out.
class FitnessTest {
  private final ResolvedFunction function = PoolHarness.function("f", Traits.of("echo"));
  private final PoolHarness harness = PoolHarness.withProbe();

  @Test
  void untilASandboxWasTriedThePoolIsStarting() {
    assertThat(harness.pool.unready()).containsExactly(Unready.STARTING);

    harness.pass(Duration.ZERO);
    assertThat(harness.states()).containsExactly("Prewarming", "Cold");
    harness.pass(Duration.ofSeconds(1));
    assertThat(harness.probes).as("one at a time").containsExactly(0);
    assertThat(harness.pool.unready()).containsExactly(Unready.STARTING);
    endProbe(true);

    assertThat(harness.pool.unready()).isEmpty();
    harness.finishReset();
    assertThat(harness.states()).containsExactly("Cold", "Cold");
  }

  @Test
  void aCallDoesNotWaitForTheProbe() {
    harness.pass(Duration.ZERO);

    harness.call(function);
    assertThat(harness.warmUps).extracting(PoolHarness.WarmUp::slot).containsExactly(1);
    harness.connect();

    assertThat(harness.pool.unready()).as("a function that was put in shows it too").isEmpty();
  }

  @Test
  void aSandboxThatTakesNoCodeIsNoReasonToCome() {
    harness.pass(Duration.ZERO);
    endProbe(false);

    assertThat(harness.pool.unready()).containsExactly(Unready.NO_SANDBOX);
    harness.finishReset();
    harness.pass(Duration.ofMillis(4999));
    assertThat(harness.probes).isEmpty();
    harness.pass(Duration.ofMillis(1));
    endProbe(true);
    assertThat(harness.pool.unready()).isEmpty();
  }

  @Test
  void warmUpsThatFailInARowHaveItTriedAgain() {
    harness.pass(Duration.ZERO);
    endProbe(true);
    harness.finishReset();
    failWarmUp();
    failWarmUp();
    harness.pass(Duration.ZERO);
    assertThat(harness.probes).isEmpty();

    failWarmUp();
    assertThat(harness.pool.unready()).as("it may be the functions' code").isEmpty();
    harness.pass(Duration.ZERO);
    endProbe(false);

    assertThat(harness.pool.unready()).containsExactly(Unready.NO_SANDBOX);
  }

  @Test
  void aWarmUpThatSucceedsStartsTheCountAnew() {
    harness.pass(Duration.ZERO);
    endProbe(true);
    harness.finishReset();
    failWarmUp();
    failWarmUp();
    harness.call(PoolHarness.function("good", Traits.of("echo")));
    harness.connect();

    failWarmUp();
    harness.pass(Duration.ZERO);

    assertThat(harness.probes).isEmpty();
  }

  @Test
  void withoutOneUsableSandboxNobodyShouldCome() {
    PoolHarness broken = new PoolHarness(1, 256);
    assertThat(broken.pool.unready()).isEmpty();
    broken.pool.invalidate(broken.pool.slots().getFirst().id());
    broken.pool.tell(0, new SlotEvent.ResetFailed(false));

    assertThat(broken.pool.unready()).containsExactly(Unready.NO_SANDBOX);
  }

  @Test
  void aCallThatWaitsWhileNoSandboxCanBeMadeIsToldSo() {
    PoolHarness broken = new PoolHarness(1, 256);
    broken.pool.invalidate(broken.pool.slots().getFirst().id());
    Call waits = broken.call(function);
    broken.pool.tell(0, new SlotEvent.ResetFailed(true));

    broken.pass(Duration.ofSeconds(1));
    assertThat(broken.states()).containsExactly("Stopping");
    assertThat(broken.pool.unready()).as("it is only tried").contains(Unready.NO_SANDBOX);
    broken.pass(Duration.ofSeconds(4));

    assertThat(waits.refusal).isEqualTo(new Refusal.NoSandbox());
  }

  @Test
  void aCallThatWaitsWhileThereIsNobodyToMakeSandboxesIsToldSo() {
    PoolHarness lost = new PoolHarness(1, 256);
    lost.call(function);
    lost.connect();
    Call waits = lost.call(PoolHarness.function("other", Traits.of("echo")));
    lost.nobodyWorks = true;

    lost.pass(Duration.ofSeconds(5));

    assertThat(waits.refusal).isEqualTo(new Refusal.NoSandbox());
  }

  @Test
  void aCallThatMayNotWaitWhileNoSandboxCanBeMadeIsToldSo() {
    PoolHarness broken = new PoolHarness(1, 256, 1000, 0);
    broken.pool.invalidate(broken.pool.slots().getFirst().id());
    broken.pool.tell(0, new SlotEvent.ResetFailed(true));

    Call tooLarge = broken.call(function);

    assertThat(tooLarge.refusal).isEqualTo(new Refusal.NoSandbox());
  }

  @Test
  void aCallThatWaitsWhileOneSandboxIsMadeAnewIsOneTooMany() {
    PoolHarness slow = new PoolHarness(1, 256);
    slow.pool.invalidate(slow.pool.slots().getFirst().id());
    Call waits = slow.call(function);

    slow.pass(Duration.ofSeconds(5));

    assertThat(waits.refusal).isInstanceOf(Refusal.Overloaded.class);
  }

  @Test
  void aQueueThatIsFullOrStandsStillIsToldAsFull() {
    harness.pass(Duration.ZERO);
    endProbe(true);
    harness.finishReset();
    ResolvedFunction function = PoolHarness.function("f", Traits.of("echo"));
    Call running = harness.call(function);
    harness.connect();
    harness.call(function);
    harness.connect();
    harness.call(function);
    assertThat(harness.pool.unready()).isEmpty();

    harness.now += Duration.ofSeconds(1).toNanos();
    assertThat(harness.pool.unready()).containsExactly(Unready.FULL);
    harness.release(running);
    assertThat(harness.pool.unready()).isEmpty();

    for (int i = 0; i < 3; i++) {
      harness.call(function);
    }
    assertThat(harness.pool.unready()).containsExactly(Unready.FULL);
  }

  @Test
  void aPoolThatIsClosedIsDraining() {
    harness.pass(Duration.ZERO);
    endProbe(true);

    harness.pool.close();

    assertThat(harness.pool.unready()).containsExactly(Unready.DRAINING);
  }

  private void endProbe(boolean succeeded) {
    harness.pool.tell(harness.probes.removeFirst(), new SlotEvent.Probed(succeeded));
  }

  /// Of a function of its own, whose only call is withdrawn.
  private void failWarmUp() {
    Call call = harness.call(PoolHarness.function("bad", Traits.of("echo")));
    harness.pool.withdraw(call.function, call);
    harness.pool.tell(
        harness.warmUps.removeFirst().slot(), new SlotEvent.WarmupFailed("code is missing", false));
    harness.finishReset();
  }
}
