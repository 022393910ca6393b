package io.easyfaas.funclet.cgroup;

/// What one slot uses.
///
/// @param memoryUsage bytes now
/// @param memoryLimit bytes at most
/// @param swapLimit bytes of memory and swap together at most
/// @param cpuNanos processor time so far, of all generations of the sandbox
/// @param isFrozen whether it is paused
public record CgroupStats(
    long memoryUsage, long memoryLimit, long swapLimit, long cpuNanos, boolean isFrozen) {}
