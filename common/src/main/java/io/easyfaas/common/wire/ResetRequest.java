package io.easyfaas.common.wire;

/// Asks for a container to be destroyed and made anew.
///
/// @param containerID which container
/// @param requestID for logs
/// @param reason why, for logs: `idle`, `timeout`, `runner-exited`, …
public record ResetRequest(ContainerId containerID, String requestID, String reason) {}
