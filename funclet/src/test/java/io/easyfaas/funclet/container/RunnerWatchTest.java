package io.easyfaas.funclet.container;

import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.wire.RunnerExit;
import io.easyfaas.funclet.launch.LauncherEvent.Exited;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class RunnerWatchTest {
  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final String RUNNING = "42 (a) b) S 1 42 42 0 -1 4194304 1 2 3";

  @TempDir private Path directory;
  private final AtomicLong oomKills = new AtomicLong(5);
  private final RunnerWatch watch = new RunnerWatch(oomKills::get);

  @Test
  void aRunningRunnerHasNoExitAndIsNotWaitedFor() throws IOException {
    Path stat = Files.writeString(directory.resolve("stat"), RUNNING);

    assertThat(watch.exit(stat, Duration.ofDays(1))).isEmpty();
  }

  @Test
  void anExitThatWasReportedIsKnown() throws IOException {
    Path stat = Files.writeString(directory.resolve("stat"), RUNNING);
    watch.onExit(new Exited("c0", 42, 3, 0));

    assertThat(watch.exit(stat, PATIENCE)).contains(new RunnerExit(3, 0, false));
  }

  @Test
  void aRunnerWhoseSandboxIsGoneIsNotWaitedFor() {
    watch.onGone();

    assertThat(watch.exit(directory.resolve("none"), Duration.ofDays(1))).isEmpty();
  }

  @Test
  void aRunnerThatIsGoneIsWaitedFor() {
    Thread waiter = Thread.currentThread();
    AtomicBoolean isOver = new AtomicBoolean();
    Thread.ofPlatform()
        .start(() -> {
          while (waiter.getState() != Thread.State.TIMED_WAITING && !isOver.get()) {
            Thread.onSpinWait();
          }
          watch.onExit(new Exited("c0", 42, 0, 0));
        });

    Optional<RunnerExit> exit = watch.exit(directory.resolve("none"), PATIENCE);

    isOver.set(true);
    assertThat(exit).contains(new RunnerExit(0, 0, false));
  }

  @Test
  void aKillCountsAsOutOfMemoryOnlyWhenTheKernelCountedOne() {
    watch.onExit(new Exited("c0", 42, 137, 9));
    assertThat(watch.exit(directory.resolve("none"), PATIENCE))
        .contains(new RunnerExit(137, 9, false));

    oomKills.incrementAndGet();
    assertThat(watch.exit(directory.resolve("none"), PATIENCE))
        .contains(new RunnerExit(137, 9, true));
  }

  @Test
  void anExitThatSurvivedItsChildsDeathIsNotOutOfMemory() {
    oomKills.incrementAndGet();
    watch.onExit(new Exited("c0", 42, 1, 0));

    assertThat(watch.exit(directory.resolve("none"), PATIENCE))
        .contains(new RunnerExit(1, 0, false));
  }

  @ParameterizedTest
  @CsvSource({
    "42 (node) S 1 42 42 0 -1 4194560 1, false",
    "42 (node) R 1 42 42 0 -1 4194308 1, true",
    "42 (node) Z 1 42 42 0 -1 4194304 1, true",
    "42 (node) X 1 42 42 0 -1 4194304 1, true",
    "42 (Z) Z x) S 1 42 42 0 -1 4194304 1, false",
  })
  void exitingIsReadFromStateAndFlags(String stat, boolean isExiting) {
    assertThat(RunnerWatch.isExiting(stat)).isEqualTo(isExiting);
  }
}
