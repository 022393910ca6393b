package io.easyfaas.common.wire;

import static java.util.Objects.requireNonNull;

import java.util.List;

/// A request that is refused or failed, with what its caller is told. Thrown by request handlers,
/// turned into an answer in one place (`common.http`).
public final class ApiException extends RuntimeException {
  private final ErrorCode code;
  private final String cause;
  private final List<String> backtrace;

  /// A failure with its specific cause: the value and what was expected.
  public ApiException(ErrorCode code, String cause) {
    this(code, cause, List.of());
  }

  /// A failure that has its reason in another one, given as text.
  public ApiException(ErrorCode code, String cause, List<String> backtrace) {
    super(code.wireName() + (cause.isEmpty() ? "" : ": " + cause));
    this.code = requireNonNull(code, "code");
    this.cause = cause;
    this.backtrace = List.copyOf(backtrace);
  }

  /// The kind of failure, which decides the status.
  public ErrorCode code() {
    return code;
  }

  /// The error object to answer with.
  public ErrorDocument document() {
    return ErrorDocument.of(code, cause, backtrace);
  }
}
