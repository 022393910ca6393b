package io.easyfaas.funclet.launch;

/// What became of one command.
public sealed interface LaunchReport {
  /// It was carried out.
  ///
  /// @param pid the process it started, seen from the host; 0 when it starts none
  record Done(long pid) implements LaunchReport {}

  /// The launcher could not carry it out.
  ///
  /// @param step what it was doing: `mount-proc`, `exec`, …
  /// @param errno the error number, 0 when no system call failed
  /// @param error the error's name: `EPERM`
  /// @param path what it was done to; empty when there is none
  record Refused(String step, int errno, String error, String path) implements LaunchReport {}

  /// Nobody knows: the launcher is gone or did not answer in time.
  ///
  /// @param reason for people
  record Lost(String reason) implements LaunchReport {}

  /// Whether it was carried out.
  default boolean isDone() {
    return this instanceof Done;
  }

  /// One sentence for messages.
  default String describe() {
    return switch (this) {
      case Done(long pid) -> pid == 0 ? "done" : "started process " + pid;
      case Refused(String step, int _, String error, String path) ->
          step + (path.isEmpty() ? "" : " " + path) + ": " + error + hint(error);
      case Lost(String reason) -> reason;
    };
  }

  private static String hint(String error) {
    return error.equals("EPERM")
        ? ". Hint: the engine needs root with CAP_SYS_ADMIN, CAP_SYS_PTRACE,"
            + " CAP_SETUID, CAP_SETGID"
        : "";
  }
}
