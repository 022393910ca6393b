package io.easyfaas.controller.userlog;

import io.easyfaas.controller.registry.ResolvedFunction;

/// Everything one call printed, with the engine's own lines around it.
///
/// @param function whose call it was
/// @param requestId printable ASCII
/// @param runtimeId the container
/// @param trigger what made the call
/// @param startedNanos when it began, nanoseconds since the epoch
/// @param concurrent whether other calls may have run in the same sandbox
/// @param status 200, or 500 when the function failed
/// @param transcript what was printed
public record CallOutput(
    ResolvedFunction function,
    String requestId,
    String runtimeId,
    String trigger,
    long startedNanos,
    boolean concurrent,
    int status,
    Transcript transcript)
    implements UserLogEntry {}
