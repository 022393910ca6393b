package io.easyfaas.controller.userlog;

import io.easyfaas.controller.registry.ResolvedFunction;

/// What a function printed that belongs to no call: while it was loaded, or between calls.
///
/// @param function whose it is
/// @param runtimeId the container
/// @param transcript what was printed
public record FunctionOutput(ResolvedFunction function, String runtimeId, Transcript transcript)
    implements UserLogEntry {}
