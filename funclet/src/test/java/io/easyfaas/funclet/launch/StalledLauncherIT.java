package io.easyfaas.funclet.launch;

import static io.easyfaas.funclet.launch.LauncherFixture.PROGRAM;
import static io.easyfaas.funclet.launch.LauncherFixture.TIMEOUT;
import static io.easyfaas.funclet.launch.LauncherFixture.done;
import static io.easyfaas.funclet.launch.LauncherFixture.signal;
import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.funclet.RequiresRoot;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A launcher that is stopped holds up nobody, and not for ever.
@RequiresRoot
@Timeout(60)
final class StalledLauncherIT {
  @TempDir private Path home;
  private final BlockingQueue<LauncherEvent> events = new LinkedBlockingQueue<>();
  private LauncherProcess launcher;

  @BeforeEach
  void start() {
    launcher = LauncherProcess.start(PROGRAM, home.resolve("launcher.sock"), events::add);
  }

  @AfterEach
  void end() {
    launcher.close();
    assertThat(ProcessHandle.current().descendants()).isEmpty();
  }

  @Test
  void whoSendsToALauncherThatReadsNothingIsToldSo() throws Exception {
    signal("STOP", launcher.pid());

    String refused = fill();
    signal("CONT", launcher.pid());

    assertThat(refused)
        .isEqualTo("rest s9: the launcher reads nothing, and 8192 requests wait for it");
    assertThat(launcher.call(LauncherCommand.rest("s9"), TIMEOUT)).isNotNull();
  }

  @Test
  void whoIsInterruptedMeanwhileEndsNobodysSandbox() throws Exception {
    open("s0");
    signal("STOP", launcher.pid());
    Thread sender = Thread.ofVirtual().start(this::fill);

    boolean _ = sender.join(Duration.ofSeconds(1)); // What can be written has been by then.
    sender.interrupt();
    signal("CONT", launcher.pid());

    assertThat(sender.join(TIMEOUT)).isTrue();
    while (!launcher.call(LauncherCommand.destroy("s0"), TIMEOUT).isDone()) {
      assertThat(events).isEmpty();
    }
  }

  @Test
  void aLauncherThatSaysNothingIsEnded() throws Exception {
    startAgain(Duration.ofMillis(200));
    open("s0");
    signal("STOP", launcher.pid());

    LaunchReport unanswered = launcher.call(LauncherCommand.destroy("s0"), TIMEOUT);

    String reason = "launcher: it has said nothing for 400ms";
    assertThat(unanswered).isEqualTo(new LaunchReport.Lost(reason));
    assertThat(events.poll(20, TimeUnit.SECONDS)).isEqualTo(new LauncherEvent.LauncherDied(reason));
    assertThat(launcher.call(LauncherCommand.destroy("s0"), TIMEOUT))
        .isEqualTo(new LaunchReport.Lost(reason));
  }

  @Test
  void soIsOneThatReadsNothingWhileMuchIsWrittenToIt() throws Exception {
    startAgain(Duration.ofMillis(200));
    signal("STOP", launcher.pid());

    String _ = fill();

    assertThat(events.poll(20, TimeUnit.SECONDS))
        .isEqualTo(new LauncherEvent.LauncherDied("launcher: it has said nothing for 400ms"));
  }

  @Test
  void aLauncherThatHasNothingToDoIsNotEnded() throws Exception {
    startAgain(Duration.ofMillis(50));
    open("s0");

    assertThat(events.poll(1, TimeUnit.SECONDS)).isNull();
    done(launcher.call(LauncherCommand.close("s0"), TIMEOUT));
  }

  @Test
  void aPingIsAnsweredWhileAKeeperIsStopped() throws Exception {
    long keeper = open("s0");
    signal("STOP", keeper);
    Launcher.Pending stuck = launcher.send(LauncherCommand.destroy("s0"));

    done(launcher.call(LauncherCommand.ping(), TIMEOUT));

    signal("KILL", keeper);
    assertThat(stuck.await(TIMEOUT).describe()).isEqualTo("keeper: EOWNERDEAD");
  }

  private void startAgain(Duration pingPeriod) {
    launcher.close();
    launcher =
        LauncherProcess.start(PROGRAM, home.resolve("launcher.sock"), events::add, pingPeriod);
  }

  private long open(String slot) {
    return done(launcher.call(LauncherCommand.open(slot, List.of(), null), TIMEOUT));
  }

  /// Sends until no more is taken, and answers what was said then.
  private String fill() {
    while (true) {
      LaunchReport report = launcher.send(LauncherCommand.rest("s9")).await(Duration.ZERO);
      if (!report.describe().contains("did not answer") && !report.describe().contains("ENOENT")) {
        return report.describe();
      }
    }
  }
}
