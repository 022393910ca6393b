package io.easyfaas.e2e;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;

/// Decides whether the tests of {@link EndToEnd} can run on this machine.
final class Requirements implements ExecutionCondition {
  @Override
  public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
    Optional<String> missing = missing();
    if (missing.isEmpty()) {
      return ConditionEvaluationResult.enabled("root, and there is a packaged engine");
    }
    if ("1".equals(System.getenv("EASYFAAS_MUST_RUN"))) {
      throw new IllegalStateException(
          missing.get() + ", and EASYFAAS_MUST_RUN=1 does not allow to skip");
    }
    return ConditionEvaluationResult.disabled(missing.get());
  }

  private static Optional<String> missing() {
    if (!isRoot()) {
      return Optional.of("needs root");
    }
    Path launcher = Installation.launcher();
    return Files.isExecutable(launcher)
        ? Optional.empty()
        : Optional.of("no packaged engine: " + launcher + " does not exist");
  }

  private static boolean isRoot() {
    try {
      return Integer.valueOf(0).equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
