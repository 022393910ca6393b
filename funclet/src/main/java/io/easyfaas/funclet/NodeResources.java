package io.easyfaas.funclet;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.config.ConfigException;
import io.easyfaas.common.wire.FuncletNode.FuncletResource;
import io.easyfaas.common.wire.Resource;
import io.easyfaas.funclet.cgroup.NodeCapacity;

/// What the node can give to functions, from what is configured and what is there. Pure.
final class NodeResources {
  private NodeResources() {}

  /// @param found what the machine, or the engine's part of it, has
  /// @throws ConfigException when the slots do not fit into what is left for functions
  static FuncletResource of(FuncletConfig config, NodeCapacity found) {
    ByteSize capacity =
        config.node().totalMemory().bytes() == 0 ? found.memory() : config.node().totalMemory();
    ByteSize reserved = config.node().reservedMemory();
    if (reserved.compareTo(capacity) >= 0) {
      throw new ConfigException(
          "--reserved-memory: \""
              + reserved
              + "\" (expected: less than all memory, "
              + capacity
              + ")");
    }
    ByteSize allocatable = capacity.minus(reserved);
    ByteSize slot = config.runner().memory();
    if (allocatable.bytes() / slot.bytes() < config.containerNum()) {
      throw new ConfigException(
          "--container-num: "
              + config.containerNum()
              + " slots of "
              + slot
              + " (expected: at most "
              + allocatable
              + " together, which is "
              + capacity
              + " less --reserved-memory "
              + reserved
              + "). Hint: lower --container-num or --runner-memory");
    }
    double cores = config.node().totalCpu() > 0 ? config.node().totalCpu() : found.cores();
    double slotCores =
        config.runner().cpuLimit() > 0 ? config.runner().cpuLimit() : config.runner().cpuRequest();
    long milliCpus = Math.round(cores * 1000);
    return new FuncletResource(
        slot.bytes(),
        new Resource(Math.round(slotCores * 1000), slot.bytes()),
        new Resource(milliCpus, capacity.bytes()),
        new Resource(0, reserved.bytes()),
        new Resource(milliCpus, allocatable.bytes()),
        Resource.ZERO);
  }
}
