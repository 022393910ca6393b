package io.easyfaas.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

/// How it is known what memory an engine may have.
final class EngineMemoryTest {
  @Test
  void thePlanIsTheEnginesOwn() {
    assertThat(EngineMemory.planIn("INFO x\nINFO EventLoops: memory: heap 1MiB, together 243MiB\n"))
        .isEqualTo(243);
  }

  @Test
  void aLogWithoutAPlanIsNone() {
    assertThatThrownBy(() -> EngineMemory.planIn("INFO ready\n"))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("together");
  }
}
