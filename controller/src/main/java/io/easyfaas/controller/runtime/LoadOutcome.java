package io.easyfaas.controller.runtime;

import java.util.List;

/// How loading a function ended.
public sealed interface LoadOutcome {
  /// Calls may come.
  record Ready() implements LoadOutcome {}

  /// The function cannot be loaded.
  ///
  /// @param error the error object, see protocol.md §6
  /// @param output what it printed meanwhile, the last 64 KiB of it
  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  record Failed(byte[] error, List<Printed> output) implements LoadOutcome {}

  /// The runner did not say in time how it ended: user code runs on, or waits.
  record TimedOut() implements LoadOutcome {}

  /// The runner ended while it loaded: user code ended the process, or took too much memory.
  ///
  /// @param output what it printed before, the last 64 KiB of it
  record Ended(List<Printed> output) implements LoadOutcome {}

  /// User code sent frames that are none, or not of a runner that loads a function.
  ///
  /// @param detail what was wrong
  /// @param output what it printed before, the last 64 KiB of it
  record BrokeProtocol(String detail, List<Printed> output) implements LoadOutcome {}

  /// The engine had no room for what the runner says of its failure.
  ///
  /// @param shortage which limit it was, and how it stands
  record NoRoom(String shortage) implements LoadOutcome {}
}
