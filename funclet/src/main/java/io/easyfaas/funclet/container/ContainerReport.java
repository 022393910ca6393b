package io.easyfaas.funclet.container;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.common.wire.ContainerInfo;
import io.easyfaas.common.wire.Resource;
import io.easyfaas.funclet.cgroup.CgroupLimits;
import io.easyfaas.funclet.cgroup.CgroupStats;
import io.easyfaas.funclet.container.ContainerState.Busy;
import org.jspecify.annotations.Nullable;

/// What is told about a container. Pure.
final class ContainerReport {
  private ContainerReport() {}

  /// @param limits that it has without a function
  /// @param stats what it uses; null when nobody asked
  static ContainerInfo of(
      ContainerId id, ContainerState now, CgroupLimits limits, @Nullable CgroupStats stats) {
    ByteSize memory = now.occupant().map(Tenant::memory).orElse(limits.memory());
    double cores = limits.cpuLimit() > 0 ? limits.cpuLimit() : limits.cpuRequest();
    return new ContainerInfo(
        id.value(),
        id,
        now.hostPid(),
        now.generation(),
        now.wireName(),
        now instanceof Busy busy ? busy.event().wireName() : "",
        stats != null && stats.isFrozen(),
        new Resource(Math.round(cores * 1000), memory.bytes()),
        stats == null ? null : resources(stats),
        now.reason());
  }

  private static ContainerInfo.ResourceStats resources(CgroupStats stats) {
    return new ContainerInfo.ResourceStats(
        new ContainerInfo.MemoryStats(stats.memoryUsage(), stats.memoryLimit(), stats.swapLimit()),
        new ContainerInfo.CpuStats(stats.cpuNanos()),
        stats.isFrozen() ? "FROZEN" : "THAWED");
  }
}
