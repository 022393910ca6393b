package io.easyfaas.funclet.launch;

/// Something that happened without being asked for.
public sealed interface LauncherEvent {
  /// The program started by `exec` ended by itself.
  ///
  /// @param slot where
  /// @param pid its process id, seen from the host
  /// @param code its exit status; 128 + n when signal n ended it
  /// @param signal the signal that ended it, 0 when it exited
  record Exited(String slot, long pid, int code, int signal) implements LauncherEvent {}

  /// A sandbox was killed from outside.
  ///
  /// @param slot which
  record Gone(String slot) implements LauncherEvent {}

  /// The launcher ended, and every sandbox with it. The last event.
  ///
  /// @param reason for people
  record LauncherDied(String reason) implements LauncherEvent {}
}
