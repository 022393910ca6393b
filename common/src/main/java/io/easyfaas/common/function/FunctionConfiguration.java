package io.easyfaas.common.function;

import static java.util.Objects.requireNonNullElse;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/// How one revision of a function is run.
///
/// @param codeSha256 base64 of the SHA-256 of the zip; identifies the code in every cache
/// @param codeSize bytes of the zip
/// @param description free text
/// @param environment variables of the function's process
/// @param functionArn the full BRN with the version
/// @param functionName the plain name
/// @param handler `module.function`
/// @param lastModified RFC 3339
/// @param memorySize mebibytes; absent or 0 means {@link #DEFAULT_MEMORY_MEBIBYTES}
/// @param runtime the name of a language runtime
/// @param timeout seconds; absent or 0 means {@link #DEFAULT_TIMEOUT_SECONDS}
/// @param version `$LATEST` or digits; absent means `$LATEST`
/// @param commitId changes with every change of code or configuration
/// @param uid the owner, by its plain account id
/// @param podConcurrentQuota calls one sandbox may run at once; absent or 0 means one
/// @param logType non-empty and not `none`: user logs are kept
public record FunctionConfiguration(
    String codeSha256,
    @Nullable Long codeSize,
    @Nullable String description,
    @Nullable Environment environment,
    String functionArn,
    String functionName,
    String handler,
    @Nullable String lastModified,
    @Nullable Integer memorySize,
    @Nullable String runtime,
    @Nullable Integer timeout,
    @Nullable String version,
    @Nullable String commitId,
    @Nullable String uid,
    @Nullable Integer podConcurrentQuota,
    @Nullable String logType) {
  /// What a function gets whose document names no memory.
  public static final int DEFAULT_MEMORY_MEBIBYTES = 128;

  /// What a function gets whose document names no timeout.
  public static final int DEFAULT_TIMEOUT_SECONDS = 3;

  /// Variables of the function's process.
  ///
  /// @param variables name to value; empty when the document has none
  public record Environment(Map<String, String> variables) {
    /// Copies the map.
    public Environment {
      variables = Map.copyOf(requireNonNullElse(variables, Map.of()));
    }
  }

  /// The memory limit in mebibytes, with its default.
  public int memoryMebibytesOrDefault() {
    return memorySize == null || memorySize == 0 ? DEFAULT_MEMORY_MEBIBYTES : memorySize;
  }

  /// The time one call may take in seconds, with its default.
  public int timeoutSecondsOrDefault() {
    return timeout == null || timeout == 0 ? DEFAULT_TIMEOUT_SECONDS : timeout;
  }

  /// The version, with its default.
  public String versionOrDefault() {
    return version == null ? "$LATEST" : version;
  }

  /// How many calls one sandbox may run at once, at least one.
  public int concurrencyPerSandbox() {
    return podConcurrentQuota == null ? 1 : Math.max(1, podConcurrentQuota);
  }

  /// The environment variables; empty when there are none.
  public Map<String, String> variables() {
    return environment == null ? Map.of() : environment.variables();
  }

  long characters() {
    return FunctionDocument.characters(variables())
        + FunctionDocument.characters(
            codeSha256,
            description,
            functionArn,
            functionName,
            handler,
            lastModified,
            runtime,
            version,
            commitId,
            uid,
            logType);
  }
}
