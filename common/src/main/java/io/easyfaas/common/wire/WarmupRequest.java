package io.easyfaas.common.wire;

import io.easyfaas.common.function.FunctionConfiguration;
import io.easyfaas.common.function.FunctionDocument.FunctionCode;
import io.easyfaas.common.function.RuntimeConfiguration;
import org.jspecify.annotations.Nullable;

/// Puts a function into a container.
///
/// @param containerID which container
/// @param requestID the invocation that needs it, for logs
/// @param code where the code is
/// @param configuration the function's revision
/// @param runtimeConfiguration how its runner is started
/// @param channel where the ends of the runner's channel are handed over; null when it runs already
public record WarmupRequest(
    ContainerId containerID,
    String requestID,
    FunctionCode code,
    FunctionConfiguration configuration,
    RuntimeConfiguration runtimeConfiguration,
    @Nullable ChannelAddress channel) {}
