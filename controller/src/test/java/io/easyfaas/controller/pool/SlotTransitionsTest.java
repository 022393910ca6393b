package io.easyfaas.controller.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.controller.FakeRegistry.Traits;
import io.easyfaas.controller.pool.PoolHarness.Call;
import io.easyfaas.controller.registry.ResolvedFunction;
import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The table of docs/state-machine.md: what each event does to a slot in each state.
class SlotTransitionsTest {
  private static final String REFUSED = "refused";

  private final ResolvedFunction function =
      PoolHarness.function("f", Traits.of("echo").concurrency(2));
  private final PoolHarness harness = new PoolHarness(1, 256);

  @ParameterizedTest
  @CsvSource({
    // event,        Cold,      WarmingUp, Warm (idle), Warm (busy), Draining,  Stopping,  Closed
    "call,           WarmingUp, WarmingUp, Warm,        Warm,        Draining,  Stopping,  Closed",
    "connected,      refused,   Warm,      refused,     refused,     refused,   refused,   refused",
    "warmup-failed,  refused,   Stopping,  refused,     refused,     refused,   refused,   refused",
    "load-failed,    refused,   Stopping,  refused,     refused,     refused,   refused,   refused",
    "released,       -,         -,         -,           Warm,        Stopping,  Stopping,  Closed",
    "lost,           -,         -,         Stopping,    Stopping,    Stopping,  Stopping,  Closed",
    "timed-out,      -,         -,         -,           Draining,    Draining,  Stopping,  Closed",
    "invalidated,    Stopping,  WarmingUp, Stopping,    Draining,    Draining,  Stopping,  Stopping",
    "idle-too-long,  Cold,      WarmingUp, Stopping,    Warm,        Draining,  Stopping,  Stopping",
    "reset-done,     refused,   refused,   refused,     refused,     refused,   Cold,      refused",
    "reset-failed,   refused,   refused,   refused,     refused,     refused,   Closed,    refused",
  })
  void eachEventDoesWhatTheTableSays(
      String event,
      String cold,
      String warmingUp,
      String warmIdle,
      String warmBusy,
      String draining,
      String stopping,
      String closed) {
    expect(event, "Cold", cold);
    expect(event, "WarmingUp", warmingUp);
    expect(event, "WarmIdle", warmIdle);
    expect(event, "WarmBusy", warmBusy);
    expect(event, "Draining", draining);
    expect(event, "Stopping", stopping);
    expect(event, "Closed", closed);
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
    if (state.equals("Cold")) {
      return new Call(function, "none");
    }
    Call call = harness.call(function);
    if (state.equals("WarmingUp")) {
      return call;
    }
    harness.connect();
    switch (state) {
      case "WarmBusy" -> {}
      case "WarmIdle" -> harness.release(call);
      case "Draining" -> harness.pool.drain(call.leaseOrFail(), "test");
      case "Stopping" -> harness.pool.lost(call.leaseOrFail(), "test");
      case "Closed" -> {
        harness.pool.lost(call.leaseOrFail(), "test");
        harness.pool.resetFailed(0);
      }
      default -> throw new IllegalArgumentException(state);
    }
    return call;
  }

  private void fire(String event, Call call) {
    switch (event) {
      case "call" -> harness.call(function);
      case "connected" -> {
        harness.warmUps.add(new PoolHarness.WarmUp(0, function, "x"));
        harness.connect();
      }
      case "warmup-failed" -> harness.pool.warmupFailed(0, "test");
      case "load-failed" -> harness.pool.loadFailed(0, new byte[0]);
      case "released" -> harness.release(call);
      case "lost" -> harness.pool.lost(call.leaseOrFail(), "test");
      case "timed-out" -> harness.pool.drain(call.leaseOrFail(), ResetReason.TIMEOUT);
      case "invalidated" -> harness.pool.invalidate(ContainerId.of("pod", 0));
      case "idle-too-long" -> harness.pass(Duration.ofSeconds(60));
      case "reset-done" -> harness.pool.resetDone(0);
      case "reset-failed" -> harness.pool.resetFailed(0);
      default -> throw new IllegalArgumentException(event);
    }
  }
}
