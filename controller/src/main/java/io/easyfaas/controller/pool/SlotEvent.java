package io.easyfaas.controller.pool;

import io.easyfaas.controller.runtime.Printed;
import io.easyfaas.controller.runtime.Runner;
import java.util.List;

/// How the work on a slot ended, told to {@link SlotPool#tell} by who did it. What each does in
/// each state is the table of docs/state-machine.md.
public sealed interface SlotEvent {
  /// A runner without a function is connected.
  record Prewarmed(Runner runner) implements SlotEvent {}

  /// A runner without a function did not start.
  record PrewarmFailed() implements SlotEvent {}

  /// A runner without a function is gone. Nothing happens when it has got one since.
  record PrewarmedLost(Runner runner) implements SlotEvent {}

  /// It was tried whether a slot can take code.
  ///
  /// @param succeeded whether it can
  record Probed(boolean succeeded) implements SlotEvent {}

  /// A slot could not be paused; it is tried again later, and after the third time the slot is
  /// reset. Nothing happens when it is not to be paused any more.
  record FreezeFailed() implements SlotEvent {}

  /// A slot's pause has ended. Nothing happens when its runner was lost meanwhile.
  record Thawed() implements SlotEvent {}

  /// A slot's pause could not be ended. Nothing happens when its runner was lost meanwhile.
  record ThawFailed() implements SlotEvent {}

  /// A function could not be put into its slot. The calls this slot was for try another one, those
  /// that did so already are refused.
  ///
  /// @param detail why, for people
  /// @param passes whether another try may succeed
  record WarmupFailed(String detail, boolean passes) implements SlotEvent {}

  /// The same, because the runner did not start: the standby lets its language alone for a while.
  ///
  /// @param detail why, for people
  record RunnerNotStarted(String detail) implements SlotEvent {}

  /// A function cannot be put into any slot, whose own fault that is: every call that waits for it
  /// is told so, and the slot is reset.
  ///
  /// @param why what its calls are told
  record WarmupRefused(Refusal why) implements SlotEvent {}

  /// A function cannot be loaded: every call that waits for it is told so, and the slot is reset.
  ///
  /// @param error the error object, see protocol.md §6
  /// @param output what it printed meanwhile
  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  record LoadFailed(byte[] error, List<Printed> output) implements SlotEvent {}

  /// The same, when the slot has been reset already to find out why.
  ///
  /// @param error the error object
  /// @param output what it printed meanwhile
  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  record LoadEnded(byte[] error, List<Printed> output) implements SlotEvent {}

  /// A slot's sandbox is new.
  record ResetDone() implements SlotEvent {}

  /// A slot's sandbox could not be made anew; it is tried again later.
  ///
  /// @param isUnheard whether nobody was there to make it: it is tried again after a second then,
  ///   however often it was
  record ResetFailed(boolean isUnheard) implements SlotEvent {}
}
