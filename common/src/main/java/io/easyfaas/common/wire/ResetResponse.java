package io.easyfaas.common.wire;

import org.jspecify.annotations.Nullable;

/// A container after its reset.
///
/// @param container its state, cold again
/// @param exit how the runner of the previous generation had ended before the reset; absent when it
///   was still running or never started
/// @param wasEmpty whether there was no runner that could have ended by itself: its sandbox was
///   killed from outside, or has ended with its launcher or its funclet. What its calls did is not
///   known then, and no fault of theirs
public record ResetResponse(ContainerInfo container, @Nullable RunnerExit exit, boolean wasEmpty) {}
