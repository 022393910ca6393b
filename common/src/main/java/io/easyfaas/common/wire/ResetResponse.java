package io.easyfaas.common.wire;

import org.jspecify.annotations.Nullable;

/// A container after its reset.
///
/// @param container its state, cold again
/// @param exit how the runner of the previous generation had ended before the reset; absent when it
///   was still running or never started
public record ResetResponse(ContainerInfo container, @Nullable RunnerExit exit) {}
