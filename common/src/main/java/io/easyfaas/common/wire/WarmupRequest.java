package io.easyfaas.common.wire;

import io.easyfaas.common.function.FunctionConfiguration;
import io.easyfaas.common.function.FunctionDocument.FunctionCode;
import io.easyfaas.common.function.RuntimeConfiguration;

/// Puts a function into a container.
///
/// @param containerID which container
/// @param requestID the invocation that needs it, for logs
/// @param code where the code is
/// @param configuration the function's revision
/// @param runtimeConfiguration how its runner is started
public record WarmupRequest(
    ContainerId containerID,
    String requestID,
    FunctionCode code,
    FunctionConfiguration configuration,
    RuntimeConfiguration runtimeConfiguration) {}
