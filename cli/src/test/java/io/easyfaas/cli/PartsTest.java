package io.easyfaas.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// How what was started is ended.
final class PartsTest {
  private final List<String> closed = new ArrayList<>();
  private final Parts parts = new Parts();

  @Test
  void whateverFailsTheOthersAreClosedLastStartedFirst() {
    AutoCloseable _ = parts.add(() -> closed.add("first"));
    AutoCloseable _ =
        parts.add(() -> {
          throw new NoClassDefFoundError("io/easyfaas/Gone");
        });
    AutoCloseable _ =
        parts.add(() -> {
          throw new IllegalStateException("it failed");
        });
    AutoCloseable _ = parts.add(() -> closed.add("last"));

    parts.close();

    assertThat(closed).containsExactly("last", "first");
  }
}
