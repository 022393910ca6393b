package io.easyfaas.common.wire;

import static java.util.Objects.requireNonNull;
import static java.util.Objects.requireNonNullElse;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;

/// A request that is refused or failed, with what its caller is told. Thrown by request handlers,
/// turned into an answer in one place (`common.http`).
public final class ApiException extends RuntimeException {
  private static final Duration SOON = Duration.ofSeconds(1);

  private final ErrorCode code;
  private final String cause;
  private final List<String> backtrace;
  private final Optional<Duration> retryAfter;

  /// A failure with its specific cause: the value and what was expected.
  public ApiException(ErrorCode code, String cause) {
    this(code, cause, List.of());
  }

  /// A failure that has its reason in another one, given as text.
  public ApiException(ErrorCode code, String cause, List<String> backtrace) {
    this(
        code,
        cause,
        backtrace,
        code.fault() == ErrorCode.Fault.NOBODY_YET ? Optional.of(SOON) : Optional.empty());
  }

  /// A failure of which is known whether waiting helps.
  ///
  /// @param retryAfter when to come again; empty when that is of no use
  public ApiException(
      ErrorCode code, String cause, List<String> backtrace, Optional<Duration> retryAfter) {
    super(code.wireName() + (cause.isEmpty() ? "" : ": " + cause));
    this.code = requireNonNull(code, "code");
    this.cause = cause;
    this.backtrace = List.copyOf(backtrace);
    this.retryAfter = retryAfter;
  }

  /// What a failure is to its caller that nobody expected: itself when it is one of these, a lack
  /// of memory, which passes, or a failure of the engine. Of a future's it is the reason.
  public static ApiException of(Throwable failure) {
    return switch (failure) {
      case ApiException known -> known;
      case CompletionException wrapped when wrapped.getCause() != null -> of(wrapped.getCause());
      case OutOfMemoryError _ ->
          new ApiException(ErrorCode.UNAVAILABLE, "the engine is short of memory");
      default ->
          new ApiException(
              ErrorCode.SERVICE,
              "",
              List.of(requireNonNullElse(failure.getMessage(), "" + failure)));
    };
  }

  /// The kind of failure, which decides the status.
  public ErrorCode code() {
    return code;
  }

  /// When another try may succeed: after a second for those nobody is to blame for, unless said
  /// otherwise. Empty when waiting does not help.
  public Optional<Duration> retryAfter() {
    return retryAfter;
  }

  /// The error object to answer with.
  public ErrorDocument document() {
    return ErrorDocument.of(code, cause, backtrace);
  }
}
