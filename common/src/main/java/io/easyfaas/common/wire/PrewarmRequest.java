package io.easyfaas.common.wire;

import io.easyfaas.common.function.RuntimeConfiguration;

/// Starts a runner in a cold container before it is known for which function.
///
/// @param containerID which container
/// @param requestID for logs
/// @param runtimeConfiguration how the runner is started
public record PrewarmRequest(
    ContainerId containerID, String requestID, RuntimeConfiguration runtimeConfiguration) {}
