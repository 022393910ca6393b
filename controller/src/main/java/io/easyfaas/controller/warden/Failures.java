package io.easyfaas.controller.warden;

import io.easyfaas.common.wire.ApiException;
import io.easyfaas.controller.runtime.RunnerException;

/// Words for what failed.
final class Failures {
  private Failures() {}

  /// A failure with its causes, as far as they say more than that something failed.
  static String describe(Throwable failure) {
    return switch (failure) {
      case ApiException refused -> {
        StringBuilder text = new StringBuilder(String.valueOf(refused.getMessage()));
        refused.document().backtrace().forEach(cause -> text.append(": ").append(cause.message()));
        yield text.toString();
      }
      case RunnerException runner -> String.valueOf(runner.getMessage());
      default -> failure.toString();
    };
  }
}
