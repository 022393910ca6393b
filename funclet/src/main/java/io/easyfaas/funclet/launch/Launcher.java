package io.easyfaas.funclet.launch;

import java.time.Duration;

/// Carries out commands. Thread-safe: commands for different slots run side by side.
public interface Launcher extends AutoCloseable {
  /// Sends a command and waits for its answer.
  ///
  /// @param timeout the longest wait; afterwards the command may still be carried out
  /// @return {@link LaunchReport.Lost} when there was no answer in time or the launcher is gone
  LaunchReport call(LauncherCommand command, Duration timeout);

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
