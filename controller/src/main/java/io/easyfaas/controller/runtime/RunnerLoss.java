package io.easyfaas.controller.runtime;

/// Why a runner is lost.
public enum RunnerLoss {
  /// It ended.
  EXITED,
  /// It sent what it may not.
  BROKE_PROTOCOL,
  /// It did not answer a ping.
  SILENT
}
