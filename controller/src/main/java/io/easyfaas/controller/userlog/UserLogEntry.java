package io.easyfaas.controller.userlog;

import io.easyfaas.controller.registry.ResolvedFunction;

/// Some output of a function that keeps a user log.
public sealed interface UserLogEntry permits CallOutput, FunctionOutput {
  /// Whose it is.
  ResolvedFunction function();

  /// The container; empty when there was none.
  String runtimeId();

  /// What was printed. Nobody adds to it any more.
  Transcript transcript();
}
