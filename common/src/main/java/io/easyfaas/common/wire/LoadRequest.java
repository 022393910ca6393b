package io.easyfaas.common.wire;

import java.util.Map;

/// Payload of a LOAD frame, see protocol.md §4.
///
/// @param functionBrn full BRN with version
/// @param functionName plain name
/// @param functionVersion `$LATEST` or digits
/// @param handler `module.function`
/// @param codeRoot directory of the code inside the sandbox
/// @param memoryMegabytes the memory limit in mebibytes
/// @param timeoutSeconds the time one call may take
/// @param concurrency calls that may be in flight at once, at least 1
/// @param environment the user's variables
public record LoadRequest(
    String functionBrn,
    String functionName,
    String functionVersion,
    String handler,
    String codeRoot,
    int memoryMegabytes,
    int timeoutSeconds,
    int concurrency,
    Map<String, String> environment) {
  /// Copies the environment.
  public LoadRequest {
    environment = Map.copyOf(environment);
  }
}
