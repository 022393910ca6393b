package io.easyfaas.common.invoke;

import static java.util.Objects.requireNonNull;

import java.time.Duration;

/// How a call is to be made. The same for most calls of one caller, so made once and shared.
///
/// @param patience how long the caller waits for the answer to begin, counted from the call; {@link
///   #FOREVER} leaves it to the function's own time
/// @param priority whom it may stand in the way of
/// @param log whether the answer's receipt is to carry the end of the log
/// @param trigger what made the call, lower case, for logs: `generic`, `faas-http-trigger`, …
public record CallTerms(Duration patience, Priority priority, LogWish log, String trigger) {
  /// A patience that does not end.
  public static final Duration FOREVER = Duration.ofSeconds(Long.MAX_VALUE);

  /// What made a call when nobody says.
  public static final String GENERIC = "generic";

  /// The terms of a caller that says nothing about them.
  public static final CallTerms USUAL =
      new CallTerms(FOREVER, Priority.NORMAL, LogWish.NONE, GENERIC);

  /// Whom a call may stand in the way of.
  public enum Priority {
    /// Somebody waits for it: it waits in turn.
    NORMAL,
    /// It can be made later as well: while others wait it is not queued, but told to come again.
    BACKGROUND
  }

  /// Whether the caller wants to see the log.
  public enum LogWish {
    /// No.
    NONE,
    /// Its last 4 KiB.
    TAIL
  }

  /// Checks that nothing is missing.
  public CallTerms {
    requireNonNull(patience, "patience");
    requireNonNull(priority, "priority");
    requireNonNull(log, "log");
    requireNonNull(trigger, "trigger");
  }

  /// The same terms for work that can be done later as well.
  public CallTerms background() {
    return new CallTerms(patience, Priority.BACKGROUND, log, trigger);
  }

  /// Whether the caller's patience ends.
  public boolean isImpatient() {
    return !patience.equals(FOREVER);
  }
}
