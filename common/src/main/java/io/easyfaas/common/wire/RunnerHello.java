package io.easyfaas.common.wire;

/// Payload of HELLO, see protocol.md §3.
///
/// @param protocol the version of the protocol that the runner speaks
public record RunnerHello(int protocol) {}
