package io.easyfaas.common.wire;

import io.easyfaas.common.function.RuntimeConfiguration;
import org.jspecify.annotations.Nullable;

/// Starts a runner in a cold container before it is known for which function.
///
/// @param containerID which container
/// @param requestID for logs
/// @param runtimeConfiguration how the runner is started
/// @param channel where the ends of its channel are handed over
public record PrewarmRequest(
    ContainerId containerID,
    String requestID,
    RuntimeConfiguration runtimeConfiguration,
    @Nullable ChannelAddress channel) {}
