package io.easyfaas.controller.pool;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.controller.registry.ResolvedFunction;

/// One slot as the controller sees it. Immutable; the only writer is {@link SlotPool}.
///
/// | from | move | to | who |
/// | --- | --- | --- | --- |
/// | Cold | occupy | WarmingUp | a call without a slot |
/// | Cold | stop | Stopping | invalidate |
/// | WarmingUp | connected | Warm | keeper |
/// | WarmingUp | stop | Stopping | keeper: warm-up failed |
/// | Warm | take, give | Warm | invoke path |
/// | Warm | drain | Draining | timeout, invalidate, fairness |
/// | Warm | stop | Stopping | idle, make room, runner lost |
/// | Draining | give | Draining | invoke path |
/// | Draining | stop | Stopping | last call ended, runner lost |
/// | Stopping | reset | Cold | keeper |
/// | Stopping | failed | Closed | keeper |
/// | Closed | repair | Stopping | sweeper |
///
/// `WarmingUp` and `Stopping` end by themselves: the keeper's work has a deadline. `Draining` ends
/// with its calls' deadlines, `Closed` at its retry time.
public sealed interface SlotState {
  /// Memory the slot holds in the ledger.
  ByteSize memory();

  /// The state's name on the wire.
  String wireName();

  /// Free: a sandbox waits for a function.
  record Cold() implements SlotState {
    @Override
    public ByteSize memory() {
      return ByteSize.ZERO;
    }

    @Override
    public String wireName() {
      return "cold";
    }

    WarmingUp occupy(ResolvedFunction function) {
      return new WarmingUp(function);
    }

    Stopping stop(String reason) {
      return new Stopping(ByteSize.ZERO, reason, 0);
    }
  }

  /// A function is being put in.
  ///
  /// @param function which one
  record WarmingUp(ResolvedFunction function) implements SlotState {
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

    Stopping stop(String reason) {
      return new Stopping(memory(), reason, 0);
    }
  }

  /// Serves calls of one function.
  ///
  /// @param function which one
  /// @param lease what a call gets that may use the slot; another one after each warm-up
  /// @param inFlight calls that use it, at most the function's concurrency
  /// @param lastUsed when it became warm or the last call ended, by the pool's clock
  record Warm(ResolvedFunction function, Lease lease, int inFlight, long lastUsed)
      implements SlotState {
    @Override
    public ByteSize memory() {
      return function.memory();
    }

    @Override
    public String wireName() {
      return "warm";
    }

    boolean isIdle() {
      return inFlight == 0;
    }

    boolean hasPermit() {
      return inFlight < function.concurrency();
    }

    Warm take() {
      return new Warm(function, lease, inFlight + 1, lastUsed);
    }

    Warm give(long now) {
      return new Warm(function, lease, inFlight - 1, now);
    }

    Draining drain(String reason) {
      return new Draining(function, lease, inFlight, reason);
    }

    Stopping stop(String reason) {
      return new Stopping(memory(), reason, 0);
    }
  }

  /// Takes no new calls; is reset when those it has have ended.
  ///
  /// @param function which one
  /// @param lease as in `Warm`
  /// @param inFlight calls that use it, at least 1
  /// @param reason why it is to be reset
  record Draining(ResolvedFunction function, Lease lease, int inFlight, String reason)
      implements SlotState {
    @Override
    public ByteSize memory() {
      return function.memory();
    }

    @Override
    public String wireName() {
      return "stopping";
    }

    Draining give() {
      return new Draining(function, lease, inFlight - 1, reason);
    }

    Stopping stop() {
      return new Stopping(memory(), reason, 0);
    }
  }

  /// The sandbox is being destroyed and made anew.
  ///
  /// @param memory held until the sandbox is gone
  /// @param reason why
  /// @param failures resets that failed since the slot was last cold
  record Stopping(ByteSize memory, String reason, int failures) implements SlotState {
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
  record Closed(ByteSize memory, String reason, int failures, long retryAt) implements SlotState {
    @Override
    public String wireName() {
      return "closed";
    }

    Stopping repair() {
      return new Stopping(memory, reason, failures);
    }
  }
}
