package io.easyfaas.stubs.registry;

import static io.easyfaas.stubs.registry.FunctionLimits.invalid;

import io.easyfaas.common.wire.ApiException;
import java.util.LinkedHashMap;
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
    @Nullable Map<String, @Nullable String> tags) {
  /// Variables of the function's process.
  ///
  /// @param variables name to value; absent means none
  record Variables(@Nullable Map<String, @Nullable String> variables) {}

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
  ///
  /// @throws ApiException when a value is null
  Optional<Map<String, String>> variables() {
    if (environment == null) {
      return Optional.empty();
    }
    return Optional.of(
        environment.variables() == null
            ? Map.of()
            : withoutNulls("Environment.Variables", environment.variables()));
  }

  /// The tags; empty when the request has none.
  ///
  /// @throws ApiException when a value is null
  Optional<Map<String, String>> labels() {
    return tags == null ? Optional.empty() : Optional.of(withoutNulls("Tags", tags));
  }

  private static Map<String, String> withoutNulls(
      String member, Map<String, @Nullable String> map) {
    Map<String, String> copy = new LinkedHashMap<>();
    map.forEach((name, value) -> {
      if (value == null) {
        throw invalid(member + "." + name, "null", "a text");
      }
      copy.put(name, value);
    });
    return copy;
  }
}
