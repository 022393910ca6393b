package io.easyfaas.common.wire;

/// How a runner ended by itself.
///
/// @param code its exit status; 128 + n when signal n ended it
/// @param signal the signal that ended it, 0 when it exited
/// @param outOfMemory whether the kernel killed it at the memory limit
public record RunnerExit(int code, int signal, boolean outOfMemory) {}
