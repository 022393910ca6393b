package io.easyfaas.controller.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What is left of a generation when it has ended.
class GenerationTest {
  @TempDir private Path directory;
  private RunnerHarness harness;

  @BeforeEach
  void start() throws IOException {
    harness = new RunnerHarness(directory);
  }

  @AfterEach
  void stop() throws IOException {
    harness.close();
  }

  @Test
  void itsEndEndsItsOutput() throws Exception {
    RunnerHarness.Ends ends = harness.start();
    harness.load(ends);

    endAfter(ends, "last");

    harness.expect("function last", "function ended");
    assertNothingIsLeft(ends);
  }

  @Test
  void itsEndIsWholeWhateverFails() throws Exception {
    RunnerHarness.Ends ends = harness.start();
    harness.load(ends);
    harness.breaksAt = "function ended";

    endAfter(ends, "last");

    assertNothingIsLeft(ends);
  }

  /// In one turn of the loop, which then finds both.
  private void endAfter(RunnerHarness.Ends ends, String lastWords) {
    harness.onLoop(() -> {
      try {
        ends.print(lastWords);
      } catch (IOException e) {
        throw new AssertionError(e);
      }
      harness.channel.end();
    });
  }

  private void assertNothingIsLeft(RunnerHarness.Ends ends) throws IOException {
    harness.settle();
    harness.output().close(); // The test's own copy.
    assertThat(ends.frames().read(ByteBuffer.allocate(1))).isEqualTo(-1);
    assertThatThrownBy(() -> ends.print("nobody reads")).hasMessageContaining("Broken pipe");
  }
}
