package io.easyfaas.controller.pool;

import io.easyfaas.controller.runtime.Printed;
import java.util.List;

/// Why a call gets no slot.
public sealed interface Refusal {
  /// None became free in time, or too many wait already. Another try may succeed.
  ///
  /// @param detail which limit was hit
  record Overloaded(String detail) implements Refusal {}

  /// No sandbox is free, and none can be made: there is nobody to make them, or the reset of every
  /// slot has failed.
  record NoSandbox() implements Refusal {}

  /// It could never run, however long it waits: another try is of no use.
  ///
  /// @param detail why not
  record NeverFits(String detail) implements Refusal {}

  /// The engine is stopping; another one may take the call.
  record Stopping() implements Refusal {}

  /// The engine could not put the function into a sandbox, twice.
  ///
  /// @param detail what went wrong
  /// @param passes whether another try may succeed
  record WarmupFailed(String detail, boolean passes) implements Refusal {}

  /// The code of this revision is gone; a newer revision may have taken its place.
  ///
  /// @param detail where it should have been
  record CodeGone(String detail) implements Refusal {}

  /// The function itself cannot be loaded.
  ///
  /// @param error the error object, see protocol.md §6
  /// @param output what it printed meanwhile
  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  record LoadFailed(byte[] error, List<Printed> output) implements Refusal {}
}
