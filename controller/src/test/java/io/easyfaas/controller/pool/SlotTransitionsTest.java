package io.easyfaas.controller.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.controller.FakeRegistry.Traits;
import io.easyfaas.controller.pool.PoolHarness.Call;
import io.easyfaas.controller.registry.ResolvedFunction;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.aggregator.ArgumentsAccessor;
import org.junit.jupiter.params.provider.CsvSource;

/// The table of docs/state-machine.md: what each event does to a slot in each state.
class SlotTransitionsTest {
  private static final String REFUSED = "refused";
  private static final List<String> STATES =
      List.of(
          "Cold",
          "Prewarming",
          "Prewarmed",
          "WarmingUp",
          "WarmIdle",
          "WarmBusy",
          "Frozen",
          "Thawing",
          "Draining",
          "Stopping",
          "Closed");

  private final ResolvedFunction function =
      PoolHarness.function("f", Traits.of("echo").concurrency(2));
  private final PoolHarness harness = PoolHarness.withStandby(1, 256, 1);

  @ParameterizedTest
  @CsvSource(
      useHeadersInDisplayName = true,
      textBlock =
          """
          event,           Cold,       Prewarming,  Prewarmed,  WarmingUp,  WarmIdle,  WarmBusy,  Frozen,    Thawing,   Draining,  Stopping,    Closed
          call,            WarmingUp,  Prewarming,  WarmingUp,  WarmingUp,  Warm,      Warm,      Thawing,   Thawing,   Draining,  Stopping,    Closed
          prewarmed,       refused,    Prewarmed,   refused,    refused,    refused,   refused,   refused,   refused,   refused,   refused,     refused
          prewarm-failed,  refused,    Stopping,    refused,    refused,    refused,   refused,   refused,   refused,   refused,   refused,     refused
          probed,          refused,    Stopping,    refused,    refused,    refused,   refused,   refused,   refused,   refused,   refused,     refused
          prewarmed-lost,  Cold,       Prewarming,  Stopping,   WarmingUp,  Warm,      Warm,      Frozen,    Thawing,   Draining,  Stopping,    Closed
          connected,       refused,    refused,     refused,    Warm,       refused,   refused,   refused,   refused,   refused,   refused,     refused
          warmup-failed,   refused,    refused,     refused,    Stopping,   refused,   refused,   refused,   refused,   refused,   refused,     refused
          load-failed,     refused,    refused,     refused,    Stopping,   refused,   refused,   refused,   refused,   refused,   refused,     refused
          released,        -,          -,           -,          -,          -,         Warm,      -,         -,         Stopping,  Stopping,    Closed
          lost,            -,          -,           -,          -,          Stopping,  Stopping,  Stopping,  Stopping,  Stopping,  Stopping,    Closed
          timed-out,       -,          -,           -,          -,          -,         Draining,  -,         -,         Draining,  Stopping,    Closed
          invalidated,     Stopping,   Prewarming,  Stopping,   WarmingUp,  Stopping,  Draining,  Stopping,  Thawing,   Draining,  Stopping,    Stopping
          idle-a-while,    Cold,       Prewarming,  Prewarmed,  WarmingUp,  Frozen,    Warm,      Frozen,    Thawing,   Draining,  Stopping,    Stopping
          idle-too-long,   Cold,       Prewarming,  Prewarmed,  WarmingUp,  Stopping,  Warm,      Stopping,  Thawing,   Draining,  Stopping,    Stopping
          unwanted,        Cold,       Prewarming,  Stopping,   WarmingUp,  Stopping,  Warm,      Stopping,  Thawing,   Draining,  Stopping,    Stopping
          freeze-failed,   Cold,       Prewarming,  Prewarmed,  WarmingUp,  Warm,      Warm,      Frozen,    Thawing,   Draining,  Stopping,    Closed
          thawed,          Cold,       Prewarming,  Prewarmed,  WarmingUp,  Warm,      Warm,      Frozen,    Warm,      Draining,  Stopping,    Closed
          thaw-failed,     Cold,       Prewarming,  Prewarmed,  WarmingUp,  Warm,      Warm,      Frozen,    Stopping,  Draining,  Stopping,    Closed
          reset-done,      refused,    refused,     refused,    refused,    refused,   refused,   refused,   refused,   refused,   Prewarming,  refused
          reset-failed,    refused,    refused,     refused,    refused,    refused,   refused,   refused,   refused,   refused,   Closed,      refused
          """)
  void eachEventDoesWhatTheTableSays(ArgumentsAccessor row) {
    String event = row.getString(0);
    for (int i = 0; i < STATES.size(); i++) {
      expect(event, STATES.get(i), row.getString(i + 1));
    }
  }

  private static void expect(String event, String from, String to) {
    if (to.equals("-")) {
      return; // Cannot be asked for: nobody has a lease there.
    }
    SlotTransitionsTest fresh = new SlotTransitionsTest();
    Call call = fresh.bring(from);
    if (to.equals(REFUSED)) {
      String before = fresh.harness.states().getFirst();
      assertThatThrownBy(() -> fresh.fire(event, call))
          .as("%s in %s", event, from)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("is not allowed");
      assertThat(fresh.harness.states()).containsExactly(before);
    } else {
      fresh.fire(event, call);
      assertThat(fresh.harness.states()).as("%s in %s", event, from).containsExactly(to);
    }
  }

  /// A pool whose only slot is in the state, and a call that had it.
  private Call bring(String state) {
    Call none = new Call(function, "none");
    if (state.equals("Cold")) {
      return none;
    }
    Call call = harness.call(function);
    if (state.startsWith("Prewarm")) {
      harness.pool.tell(0, new SlotEvent.LoadFailed(new byte[0], List.of()));
      harness.finishReset();
      if (state.equals("Prewarmed")) {
        harness.finishPrewarm();
      }
      return none;
    }
    if (state.equals("WarmingUp")) {
      return call;
    }
    harness.connect();
    switch (state) {
      case "WarmBusy" -> {}
      case "WarmIdle" -> harness.release(call);
      case "Frozen", "Thawing" -> {
        harness.release(call);
        harness.pass(Duration.ofSeconds(5));
        if (state.equals("Thawing")) {
          harness.call(function);
        }
      }
      case "Draining" -> harness.pool.drain(call.leaseOrFail(), Reason.TIMEOUT);
      case "Stopping" -> harness.pool.lost(call.leaseOrFail(), Reason.TIMEOUT);
      case "Closed" -> {
        harness.pool.lost(call.leaseOrFail(), Reason.TIMEOUT);
        harness.pool.tell(0, new SlotEvent.ResetFailed(false));
      }
      default -> throw new IllegalArgumentException(state);
    }
    return call;
  }

  private void fire(String event, Call call) {
    switch (event) {
      case "call" -> harness.call(function);
      case "prewarmed" -> harness.pool.tell(0, new SlotEvent.Prewarmed(PoolHarness.RUNNER));
      case "prewarm-failed" -> harness.pool.tell(0, new SlotEvent.PrewarmFailed());
      case "probed" -> harness.pool.tell(0, new SlotEvent.Probed(true));
      case "prewarmed-lost" ->
          harness.pool.tell(0, new SlotEvent.PrewarmedLost(PoolHarness.RUNNER));
      case "freeze-failed" -> harness.pool.tell(0, new SlotEvent.FreezeFailed());
      case "thawed" -> harness.pool.tell(0, new SlotEvent.Thawed());
      case "thaw-failed" -> harness.pool.tell(0, new SlotEvent.ThawFailed());
      case "connected" -> {
        harness.warmUps.add(new PoolHarness.WarmUp(0, function, "x"));
        harness.connect();
      }
      case "warmup-failed" -> harness.pool.tell(0, new SlotEvent.WarmupFailed("test", false));
      case "load-failed" -> harness.pool.tell(0, new SlotEvent.LoadFailed(new byte[0], List.of()));
      case "released" -> harness.release(call);
      case "lost" -> harness.pool.lost(call.leaseOrFail(), Reason.TIMEOUT);
      case "timed-out" -> harness.pool.drain(call.leaseOrFail(), Reason.TIMEOUT);
      case "invalidated" -> harness.pool.invalidate(ContainerId.of("pod", 0));
      case "idle-a-while" -> harness.pass(Duration.ofSeconds(5));
      case "unwanted" -> harness.pass(Duration.ofMinutes(10));
      case "idle-too-long" -> harness.pass(Duration.ofSeconds(60));
      case "reset-done" -> harness.pool.tell(0, new SlotEvent.ResetDone());
      case "reset-failed" -> harness.pool.tell(0, new SlotEvent.ResetFailed(false));
      default -> throw new IllegalArgumentException(event);
    }
  }
}
