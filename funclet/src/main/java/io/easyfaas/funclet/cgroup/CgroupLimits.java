package io.easyfaas.funclet.cgroup;

import io.easyfaas.common.config.ByteSize;

/// What one slot may use.
///
/// @param memory memory and swap together
/// @param cpuRequest cores it gets when all are wanted; decides its weight against other slots
/// @param cpuLimit cores it gets at most; 0 means no limit
/// @param pids processes and threads, the slot's keeper and inits included
public record CgroupLimits(ByteSize memory, double cpuRequest, double cpuLimit, int pids) {
  /// Checks the ranges.
  public CgroupLimits {
    if (memory.bytes() <= 0 || cpuRequest < 0 || cpuLimit < 0 || pids <= 0) {
      throw new IllegalArgumentException(
          "limits: memory "
              + memory
              + ", cpu "
              + cpuRequest
              + " to "
              + cpuLimit
              + ", pids "
              + pids
              + " (expected: memory and pids > 0, cpu >= 0)");
    }
  }

  /// The same with another memory limit.
  public CgroupLimits withMemory(ByteSize other) {
    return new CgroupLimits(other, cpuRequest, cpuLimit, pids);
  }

  /// The same with the smallest weight for the processor.
  public CgroupLimits inBackground() {
    return new CgroupLimits(memory, 0, cpuLimit, pids);
  }
}
