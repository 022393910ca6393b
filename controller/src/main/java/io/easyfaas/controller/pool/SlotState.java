package io.easyfaas.controller.pool;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.controller.registry.ResolvedFunction;
import io.easyfaas.controller.runtime.Runner;
import java.util.OptionalLong;

/// One slot as the controller sees it. Immutable; the only writer is {@link Slots}.
///
/// | from | move | to | who |
/// | --- | --- | --- | --- |
/// | Cold | occupy | WarmingUp | a call without a slot |
/// | Cold | prewarm | Prewarming | standby |
/// | Cold | stop | Stopping | invalidate |
/// | Prewarming | waits | Prewarmed | warden |
/// | Prewarming | stop | Stopping | warden: the runner did not start |
/// | Prewarmed | occupy | WarmingUp | a call without a slot |
/// | Prewarmed | stop | Stopping | standby, make room, runner lost, invalidate |
/// | WarmingUp | connected | Warm | warden |
/// | WarmingUp | stop | Stopping | warden: warm-up failed |
/// | Warm | take, give (of {@link Slot}) | Warm | invoke path |
/// | Warm | freeze | Frozen | sweeper: idle for a while |
/// | Warm | drain | Draining | timeout, invalidate, fairness |
/// | Warm | stop | Stopping | idle, make room, runner lost |
/// | Frozen | failed, retry | Frozen | warden: cannot be paused; sweeper |
/// | Frozen | thaw | Thawing | a call |
/// | Frozen | stop | Stopping | idle, make room, cannot be paused, runner lost, invalidate |
/// | Thawing | thawed | Warm | warden |
/// | Thawing | stop | Stopping | warden: cannot be thawed, runner lost |
/// | Draining | give | Draining | invoke path |
/// | Draining | stop | Stopping | last call ended, runner lost |
/// | Stopping | reset | Cold | warden |
/// | Stopping | failed | Closed | warden |
/// | Closed | repair | Stopping | sweeper |
///
/// `Prewarming`, `WarmingUp`, `Thawing` and `Stopping` end by themselves: the warden's work has a
/// deadline. `Draining` ends with its calls' deadlines, `Closed` at its retry time.
public sealed interface SlotState {
  /// States that can be left for a reset at once.
  sealed interface Stoppable extends SlotState permits Free, WarmingUp, Warm, Frozen, Thawing {
    /// Gives the slot up.
    default Stopping stop(Reason reason, long now) {
      return new Stopping(memory(), reason, 0, now);
    }
  }

  /// States in which there is no function.
  sealed interface Free extends Stoppable permits Cold, Prewarming, Prewarmed {
    @Override
    default ByteSize marked() {
      return ByteSize.ZERO;
    }

    @Override
    default String wireName() {
      return "cold";
    }
  }

  /// States in which a loaded runner of a function is there.
  sealed interface Serving extends SlotState permits Warm, Frozen, Thawing, Draining {
    /// Which function.
    ResolvedFunction function();

    /// What a call gets that may use the slot.
    Lease lease();

    /// Calls that use it.
    int inFlight();

    @Override
    default ByteSize memory() {
      return function().memory();
    }
  }

  /// Memory the slot holds in the ledger.
  ByteSize memory();

  /// What of it no function could have: the standby gives way.
  default ByteSize marked() {
    return memory();
  }

  /// The state's name on the wire.
  String wireName();

  /// The state's name in logs and metrics, where it is told apart from others with its wire name.
  default String name() {
    return wireName();
  }

  /// At rest: a sandbox waits for a function.
  record Cold() implements Free {
    @Override
    public ByteSize memory() {
      return ByteSize.ZERO;
    }

    WarmingUp occupy(ResolvedFunction function) {
      return new WarmingUp(function);
    }

    Prewarming prewarm(RuntimeConfiguration runtime, ByteSize memory, long now) {
      return new Prewarming(runtime, memory, now);
    }
  }

  /// A runner without a function is being started.
  ///
  /// @param runtime its language
  /// @param memory the base memory
  /// @param since when it began, by the pool's clock
  record Prewarming(RuntimeConfiguration runtime, ByteSize memory, long since) implements Free {
    @Override
    public String name() {
      return "prewarming";
    }

    Prewarmed waits(Runner runner) {
      return new Prewarmed(runtime, memory, runner);
    }
  }

  /// A started runner waits for a function.
  ///
  /// @param runtime its language
  /// @param memory the base memory
  /// @param runner compared by identity
  record Prewarmed(RuntimeConfiguration runtime, ByteSize memory, Runner runner) implements Free {
    @Override
    public String name() {
      return "prewarmed";
    }

    WarmingUp occupy(ResolvedFunction function) {
      return new WarmingUp(function);
    }
  }

  /// A function is being put in.
  ///
  /// @param function which one
  record WarmingUp(ResolvedFunction function) implements Stoppable {
    @Override
    public ByteSize memory() {
      return function.memory();
    }

    @Override
    public String wireName() {
      return "warmup";
    }

    Warm connected(Lease lease, long now) {
      return new Warm(function, lease, 0, now);
    }
  }

  /// Serves calls of one function.
  ///
  /// @param function which one
  /// @param lease what a call gets that may use the slot; another one after each warm-up
  /// @param inFlight calls that use it, at most the function's concurrency
  /// @param lastUsed when it became warm or the last call ended, by the pool's clock
  record Warm(ResolvedFunction function, Lease lease, int inFlight, long lastUsed)
      implements Serving, Stoppable {
    @Override
    public String wireName() {
      return "warm";
    }

    boolean isIdle() {
      return inFlight == 0;
    }

    Frozen freeze() {
      return new Frozen(function, lease, lastUsed, 0, OptionalLong.empty());
    }

    Draining drain(Reason reason) {
      return new Draining(function, lease, inFlight, reason);
    }
  }

  /// Warm, idle and paused: it uses no processor time.
  ///
  /// @param function which one
  /// @param lease as in `Warm`
  /// @param lastUsed as in `Warm`
  /// @param failures how often it could not be paused since it was last warm
  /// @param retryAt when that is tried again, by the pool's clock; empty while it is paused or
  ///   being so
  record Frozen(
      ResolvedFunction function, Lease lease, long lastUsed, int failures, OptionalLong retryAt)
      implements Serving, Stoppable {
    @Override
    public int inFlight() {
      return 0;
    }

    @Override
    public String wireName() {
      return "warm";
    }

    @Override
    public String name() {
      return "frozen";
    }

    Frozen failed(long retryAt) {
      return new Frozen(function, lease, lastUsed, failures + 1, OptionalLong.of(retryAt));
    }

    Frozen retry() {
      return new Frozen(function, lease, lastUsed, failures, OptionalLong.empty());
    }

    boolean isDue(long now) {
      return retryAt.isPresent() && now - retryAt.getAsLong() >= 0;
    }

    Thawing thaw() {
      return new Thawing(function, lease);
    }
  }

  /// Its pause is being ended, because a call waits for it.
  ///
  /// @param function which one
  /// @param lease as in `Warm`
  record Thawing(ResolvedFunction function, Lease lease) implements Serving, Stoppable {
    @Override
    public int inFlight() {
      return 0;
    }

    @Override
    public String wireName() {
      return "warm";
    }

    @Override
    public String name() {
      return "thawing";
    }

    Warm thawed(long now) {
      return new Warm(function, lease, 0, now);
    }
  }

  /// Takes no new calls; is reset when those it has have ended.
  ///
  /// @param function which one
  /// @param lease as in `Warm`
  /// @param inFlight calls that use it, at least 1
  /// @param reason why it is to be reset
  record Draining(ResolvedFunction function, Lease lease, int inFlight, Reason reason)
      implements Serving {
    @Override
    public String wireName() {
      return "stopping";
    }

    Draining give() {
      return new Draining(function, lease, inFlight - 1, reason);
    }

    Stopping stop(long now) {
      return new Stopping(memory(), reason, 0, now);
    }
  }

  /// The sandbox is being destroyed and made anew.
  ///
  /// @param memory held until the sandbox is gone
  /// @param reason why
  /// @param failures resets that failed since the slot was last cold
  /// @param since when the reset began, by the pool's clock
  record Stopping(ByteSize memory, Reason reason, int failures, long since) implements SlotState {
    @Override
    public String wireName() {
      return "stopping";
    }

    Cold reset() {
      return new Cold();
    }

    Closed failed(long retryAt) {
      return new Closed(memory, reason, failures + 1, retryAt);
    }
  }

  /// Out of use: a reset failed and is tried again later.
  ///
  /// @param memory held, because the old sandbox may still use it
  /// @param reason why the reset was wanted
  /// @param failures resets that failed, at least 1
  /// @param retryAt when the next is due, by the pool's clock
  record Closed(ByteSize memory, Reason reason, int failures, long retryAt) implements SlotState {
    @Override
    public String wireName() {
      return "closed";
    }

    Stopping repair(long now) {
      return new Stopping(memory, reason, failures, now);
    }
  }
}
