package io.easyfaas.stubs.registry;

import static java.util.Objects.requireNonNullElse;

import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What a caller wants a function to be, as the request has it. Every member is optional: absent
/// means the default when a function is created, and "as it is" when it is updated.
///
/// @param version `$LATEST` or digits, for create
/// @param description free text
/// @param runtime a name some runtime answers to
/// @param timeout seconds
/// @param memorySize mebibytes
/// @param handler `module.function`
/// @param podConcurrentQuota calls one sandbox may run at once
/// @param code only whether there was one: it is on disk, see {@link UploadReader}
/// @param environment variables of the function's process
/// @param logType `none` or where user logs go
/// @param tags free labels
@SuppressWarnings("ArrayRecordComponent") // Never compared.
record FunctionSettings(
    @Nullable String version,
    @Nullable String description,
    @Nullable String runtime,
    @Nullable Integer timeout,
    @Nullable Integer memorySize,
    @Nullable String handler,
    @Nullable Integer podConcurrentQuota,
    byte @Nullable [] code,
    @Nullable Variables environment,
    @Nullable String logType,
    @Nullable Map<String, String> tags) {
  /// Variables of the function's process.
  ///
  /// @param variables name to value; absent means none
  record Variables(@Nullable Map<String, String> variables) {}

  /// Whether there is no setting; code is none.
  boolean isEmpty() {
    return description == null
        && runtime == null
        && timeout == null
        && memorySize == null
        && handler == null
        && podConcurrentQuota == null
        && environment == null
        && logType == null
        && tags == null;
  }

  /// The environment variables; empty when the request has no environment.
  Optional<Map<String, String>> variables() {
    return Optional.ofNullable(environment)
        .map(given -> requireNonNullElse(given.variables(), Map.of()));
  }

  /// The tags; empty when the request has none.
  Optional<Map<String, String>> labels() {
    return Optional.ofNullable(tags);
  }
}
