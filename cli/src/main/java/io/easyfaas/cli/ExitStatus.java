package io.easyfaas.cli;

/// What the process's exit status tells.
final class ExitStatus {
  /// Done.
  static final int OK = 0;

  /// The function was called and failed.
  static final int FUNCTION_FAILED = 1;

  /// The command line or a setting is wrong; nothing was done.
  static final int USAGE = 2;

  /// The engine refused, failed, or could not be reached, or its answer could not be written.
  static final int ENGINE_FAILED = 3;

  private ExitStatus() {}
}
