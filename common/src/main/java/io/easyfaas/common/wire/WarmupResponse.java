package io.easyfaas.common.wire;

/// The container after a warm-up.
///
/// @param container its state
public record WarmupResponse(ContainerInfo container) {}
