package io.easyfaas.funclet;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;

/// See {@link RequiresRoot}.
final class RootCondition implements ExecutionCondition {
  @Override
  public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
    if (isRoot()) {
      return ConditionEvaluationResult.enabled("runs as root");
    }
    if ("1".equals(System.getenv("EASYFAAS_MUST_RUN"))) {
      throw new AssertionError("not root, and EASYFAAS_MUST_RUN=1 forbids to skip");
    }
    return ConditionEvaluationResult.disabled("needs root: it makes namespaces and control groups");
  }

  private static boolean isRoot() {
    try {
      return Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
