package io.easyfaas.controller.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.easyfaas.common.disk.Damage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Whose the directory of the channels is.
class SlotChannelsTest {
  @TempDir private Path home;

  @Test
  void aSecondControllerIsRefusedAndTheFirstDoesNotNotice() throws Exception {
    Path directory = home.resolve("channels");
    try (RunnerHarness first = new RunnerHarness(directory)) {
      assertThatExceptionOfType(RunnerException.class)
          .isThrownBy(() -> new RunnerHarness(directory).close())
          .withMessage(
              "--run-dir: "
                  + directory
                  + " is in use by another controller (pid "
                  + ProcessHandle.current().pid()
                  + ")");

      first.handOver(first.channel.offer().orElseThrow()).hello();
      first.channel.awaitRunner(RunnerHarness.WAIT).awaitHello(RunnerHarness.WAIT);
    }
    new RunnerHarness(directory).close();
  }

  @ParameterizedTest
  @EnumSource
  void whateverIsInTheirPlaceIsReplaced(Damage damage) throws IOException {
    Path directory = home.resolve("channels");
    damage.to(directory);
    try (RunnerHarness _ = new RunnerHarness(directory)) {
      assertThat(directory.resolve("0.sock")).exists();
    }

    damage.to(directory.resolve("0.sock"));
    try (RunnerHarness _ = new RunnerHarness(directory)) {
      assertThat(Files.isDirectory(directory.resolve("0.sock"))).isFalse();
    }
    assertThat(home.resolve("nowhere")).doesNotExist();
  }
}
