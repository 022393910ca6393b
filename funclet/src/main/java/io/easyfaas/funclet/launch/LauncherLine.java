package io.easyfaas.funclet.launch;

import static java.util.Objects.requireNonNullElse;

import io.easyfaas.common.json.Json;
import io.easyfaas.common.json.JsonException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// One line the launcher wrote: an answer or an event.
sealed interface LauncherLine {
  /// The answer to a request.
  ///
  /// @param request its number
  record Answer(long request, LaunchReport report) implements LauncherLine {}

  /// An event.
  record Event(LauncherEvent event) implements LauncherLine {}

  /// Reads a line. Empty when it is none of what launcher.md lists.
  static Optional<LauncherLine> parse(String line) {
    Members members;
    try {
      members = Json.CAMEL.read(line, Members.class);
    } catch (JsonException _) {
      return Optional.empty();
    }
    String slot = requireNonNullElse(members.slot(), "");
    if (members.request() != null && members.ok() != null) {
      return Optional.of(new Answer(members.request(), members.report()));
    }
    return switch (requireNonNullElse(members.event(), "")) {
      case "exited" -> Optional.of(new Event(members.exited(slot)));
      case "gone" -> Optional.of(new Event(new LauncherEvent.Gone(slot)));
      default -> Optional.empty();
    };
  }

  /// All members any line may have.
  record Members(
      @Nullable Long request,
      @Nullable String slot,
      @Nullable Boolean ok,
      @Nullable Long pid,
      @Nullable String step,
      @Nullable Integer errno,
      @Nullable String error,
      @Nullable String path,
      @Nullable String event,
      @Nullable Integer code,
      @Nullable Integer signal) {
    LaunchReport report() {
      return Boolean.TRUE.equals(ok)
          ? new LaunchReport.Done(requireNonNullElse(pid, 0L))
          : new LaunchReport.Refused(
              requireNonNullElse(step, "unknown"),
              requireNonNullElse(errno, 0),
              requireNonNullElse(error, "failed"),
              requireNonNullElse(path, ""));
    }

    LauncherEvent.Exited exited(String where) {
      int by = requireNonNullElse(signal, 0);
      int status = by > 0 ? 128 + by : requireNonNullElse(code, 0);
      return new LauncherEvent.Exited(where, requireNonNullElse(pid, 0L), status, by);
    }
  }
}
