package io.easyfaas.common.wire;

/// Pauses or continues a warm container.
///
/// @param containerID which container
/// @param requestID for logs
public record FreezeRequest(ContainerId containerID, String requestID) {}
