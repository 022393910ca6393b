package io.easyfaas.funclet;

import io.easyfaas.common.budget.MemoryPlan;
import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.config.ConfigException;
import io.easyfaas.common.wire.FuncletNode.FuncletResource;
import io.easyfaas.common.wire.Resource;
import io.easyfaas.funclet.cgroup.NodeCapacity;

/// What the node can give to functions, from what is configured and what is there. Pure.
final class NodeResources {
  private NodeResources() {}

  /// @param found what the machine, or the engine's part of it, has
  /// @param plan what this process may take
  /// @throws ConfigException when the slots do not fit into what is left for functions; the message
  ///   has numbers that do
  static FuncletResource of(FuncletConfig config, NodeCapacity found, MemoryPlan plan) {
    FuncletConfig.Node node = config.node();
    boolean isGiven = node.totalMemory().bytes() > 0;
    ByteSize capacity = isGiven ? node.totalMemory() : found.memory();
    ByteSize reserved = node.reservedMemory() == null ? plan.total() : node.reservedMemory();
    ByteSize allocatable =
        reserved.compareTo(capacity) < 0 ? capacity.minus(reserved) : ByteSize.ZERO;
    ByteSize slot = config.runner().memory();
    int fitting = (int) Math.min(allocatable.bytes() / slot.bytes(), config.containerNum());
    if (fitting < config.containerNum()) {
      ByteSize wanted = slot.times(config.containerNum());
      boolean isDerived = node.reservedMemory() == null && !isGiven;
      throw new ConfigException(
          "--container-num: "
              + config.containerNum()
              + (config.containerNum() == 1 ? " slot of " : " slots of ")
              + slot
              + ", together "
              + wanted
              + " (expected: at most "
              + allocatable
              + ", which is "
              + capacity
              + " less "
              + reserved
              + " for the engine). Hint: "
              + (fitting > 0 ? "--container-num " + fitting + ", or " : "")
              + (isDerived ? MemoryPlan.holding(wanted) : wanted.plus(reserved))
              + " of memory");
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
