package io.easyfaas.common.wire;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.easyfaas.common.function.RuntimeConfiguration;
import org.jspecify.annotations.Nullable;

/// What the machine or Pod has to give.
///
/// @param resource the amounts
/// @param probe a program that can be started in every sandbox like a runner and ends at once, to
///   try whether sandboxes take code; null when there is none
public record FuncletNode(FuncletResource resource, @Nullable RuntimeConfiguration probe) {
  /// Amounts of a node.
  ///
  /// @param baseMemory bytes one slot has unless its function asks for more
  /// @param defaults what one slot has; `Default` on the wire
  /// @param capacity all there is
  /// @param reserved kept for the engine
  /// @param allocatable capacity less reserved
  /// @param used reserved in the memory ledger now
  public record FuncletResource(
      long baseMemory,
      @JsonProperty("Default") Resource defaults,
      Resource capacity,
      Resource reserved,
      Resource allocatable,
      Resource used) {}
}
