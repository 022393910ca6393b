package io.easyfaas.funclet.launch;

import java.time.Duration;

/// Carries out commands: those for one slot in the order in which they were sent, those for
/// different slots side by side. Thread-safe.
public interface Launcher extends AutoCloseable {
  /// Sends a command. Does not wait for its answer, which may be left alone.
  Pending send(LauncherCommand command);

  /// Sends a command and waits for its answer, as {@link Pending#await} does.
  default LaunchReport call(LauncherCommand command, Duration timeout) {
    return send(command).await(timeout);
  }

  /// The answer to a command that was sent.
  @FunctionalInterface
  interface Pending {
    /// Waits for it. To be called once.
    ///
    /// @param timeout the longest wait; afterwards the command may still be carried out
    /// @return {@link LaunchReport.Lost} when there was no answer in time or the launcher is gone
    LaunchReport await(Duration timeout);
  }

  /// Ends the launcher and thereby every sandbox. Safe to call twice. Blocks at most 15 s.
  @Override
  void close();

  /// Receives events, in order, on the thread that reads from the launcher: must not block and must
  /// not call the launcher.
  @FunctionalInterface
  interface Listener {
    /// Takes one event.
    void onEvent(LauncherEvent event);
  }
}
