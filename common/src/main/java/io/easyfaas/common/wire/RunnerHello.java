package io.easyfaas.common.wire;

import org.jspecify.annotations.Nullable;

/// Payload of a HELLO frame, see protocol.md §3.
///
/// @param protocol the version the runner speaks
/// @param outputMark what its records of output begin with, 16 hexadecimal digits; null when it
///   writes none
public record RunnerHello(int protocol, @Nullable String outputMark) {}
