package io.easyfaas.common.wire;

import static java.util.Objects.requireNonNullElse;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The error object of every HTTP API of the engine.
///
/// @param code one of {@link ErrorCode#wireName()}
/// @param cause what exactly was wrong; left out when empty
/// @param message the general sentence of the code
/// @param status the HTTP status
/// @param type `User` for 400 to 499, `Server` for 500 to 511
/// @param backtrace what led to it, innermost last; left out when empty
public record ErrorDocument(
    @JsonInclude(JsonInclude.Include.NON_EMPTY) @Nullable String code,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) @Nullable String cause,
    String message,
    @JsonInclude(JsonInclude.Include.NON_DEFAULT) int status,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) @Nullable String type,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) List<ErrorDocument> backtrace) {
  /// Copies the backtrace.
  public ErrorDocument {
    message = requireNonNullElse(message, "");
    backtrace = List.copyOf(requireNonNullElse(backtrace, List.of()));
  }

  /// The document of a failure.
  public static ErrorDocument of(ErrorCode code, String cause, List<String> backtrace) {
    return new ErrorDocument(
        code.wireName(),
        cause,
        code.message(),
        code.status(),
        code.status() < 500 ? "User" : "Server",
        backtrace.stream()
            .map(text -> new ErrorDocument(null, null, text, 0, null, List.of()))
            .toList());
  }
}
