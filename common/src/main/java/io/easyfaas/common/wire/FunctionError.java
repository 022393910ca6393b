package io.easyfaas.common.wire;

import static java.util.Objects.requireNonNullElse;

import java.util.List;

/// The error object of a function's own failure, see protocol.md §6.
///
/// @param errorMessage what went wrong
/// @param errorType the exception's class, or `Runtime.…`
/// @param stackTrace innermost frame first; empty when there is none
public record FunctionError(String errorMessage, String errorType, List<String> stackTrace) {
  /// Copies the trace.
  public FunctionError {
    stackTrace = List.copyOf(requireNonNullElse(stackTrace, List.of()));
  }
}
