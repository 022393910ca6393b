package io.easyfaas.funclet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.easyfaas.funclet.launch.LaunchReport;
import io.easyfaas.funclet.launch.Launcher;
import io.easyfaas.funclet.launch.LauncherCommand;
import io.easyfaas.funclet.launch.LauncherEvent;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Whatever fails when a launcher has died, the next one is started.
final class LauncherSupervisorTest {
  private static final LauncherEvent DIED = new LauncherEvent.LauncherDied("killed");

  private final BlockingQueue<Launcher.Listener> started = new LinkedBlockingQueue<>();
  private final BlockingQueue<String> repaired = new LinkedBlockingQueue<>();
  private volatile Runnable closing = () -> {};
  private final LauncherSupervisor supervisor =
      new LauncherSupervisor(listener -> {
        started.add(listener);
        return new Idle();
      });

  @AfterEach
  void end() {
    closing = () -> {};
    supervisor.close();
  }

  @Test
  void itIsStartedAgainAndWhatItTookAlongIsMadeAnew() throws InterruptedException {
    supervisor.start(_ -> {}, repaired::add);

    next().onEvent(DIED);

    assertThat(next()).isNotNull();
    assertThat(repaired.poll(20, TimeUnit.SECONDS)).isEqualTo("the launcher died");
  }

  @Test
  void aListenerThatFailsKeepsNothingBack() throws InterruptedException {
    supervisor.start(
        _ -> {
          throw new IllegalStateException("a defect");
        },
        repaired::add);
    Launcher.Listener first = next();

    assertThatIllegalStateException().isThrownBy(() -> first.onEvent(DIED));

    assertThat(next()).isNotNull();
    assertThat(repaired.poll(20, TimeUnit.SECONDS)).isEqualTo("the launcher died");
  }

  @Test
  void aDeadOneThatCannotBeClosedKeepsNothingBack() throws InterruptedException {
    supervisor.start(_ -> {}, repaired::add);
    closing =
        () -> {
          closing = () -> {};
          throw new IllegalStateException("a defect");
        };

    next().onEvent(DIED);

    assertThat(next()).isNotNull();
  }

  private Launcher.Listener next() throws InterruptedException {
    Launcher.Listener listener = started.poll(20, TimeUnit.SECONDS);
    if (listener == null) {
      throw new AssertionError("no launcher was started in 20s");
    }
    return listener;
  }

  private final class Idle implements Launcher {
    @Override
    public Pending send(LauncherCommand command) {
      return _ -> new LaunchReport.Lost("idle");
    }

    @Override
    public void close() {
      closing.run();
    }
  }
}
