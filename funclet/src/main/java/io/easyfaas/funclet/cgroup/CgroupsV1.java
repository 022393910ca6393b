package io.easyfaas.funclet.cgroup;

import io.easyfaas.common.config.ByteSize;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/// Control groups of version 1, one hierarchy a controller (or several together).
final class CgroupsV1 implements Cgroups {
  private static final long CPU_PERIOD_MICROS = 100_000;
  // The smallest quota the kernel takes, see sched-bwc.rst.
  private static final long MIN_CPU_QUOTA_MICROS = 1000;
  private static final long MIN_SOCKET_BYTES = 4L << 20;
  private static final int SOCKET_SHARE = 4; // A quarter of the memory, on top of it.
  private static final int SHARES_PER_CORE = 1024;
  private static final int MIN_SHARES = 2;

  private final CgroupLayout.V1 layout;
  private final String engineGroup;
  private final Settings settings = new Settings();

  CgroupsV1(CgroupLayout.V1 layout, String engineGroup) {
    this.layout = layout;
    this.engineGroup = engineGroup;
  }

  @Override
  public List<Path> engineGroups() {
    return layout.groups().keySet().stream().map(this::engineGroup).distinct().toList();
  }

  @Override
  public void prepare() {
    engineGroups().forEach(CgroupsV1::make);
  }

  @Override
  public SlotGroups create(String slot, CgroupLimits limits) {
    List<Path> joined = new ArrayList<>(slotGroups(slot));
    joined.forEach(CgroupsV1::make);
    settings.forget(slot);
    limit(slot, limits);
    Path sandbox = hasUnified() ? group(CgroupLayout.UNIFIED, slot) : null;
    joined.remove(sandbox);
    return new SlotGroups(joined, sandbox);
  }

  @Override
  public void limit(String slot, CgroupLimits limits) {
    limitMemory(slot, limits.memory());
    long shares = Math.max(MIN_SHARES, Math.round(limits.cpuRequest() * SHARES_PER_CORE));
    limitCpu(slot, shares, limits.cpuLimit());
    limitPids(slot, limits.pids());
  }

  @Override
  public CgroupStats stats(String slot) {
    Path memory = group("memory", slot);
    ControlFile withSwap = ControlFile.in(memory, "memory.memsw.limit_in_bytes");
    long limit = ControlFile.in(memory, "memory.limit_in_bytes").readLong();
    return new CgroupStats(
        ControlFile.in(memory, "memory.usage_in_bytes").readLong(),
        limit,
        withSwap.exists() ? withSwap.readLong() : limit,
        ControlFile.in(group("cpuacct", slot), "cpuacct.usage").readLong(),
        freezer(slot).isFrozen());
  }

  @Override
  public long oomKills(String slot) {
    return ControlFile.in(group("memory", slot), "memory.oom_control")
        .readKey("oom_kill")
        .orElse(0);
  }

  @Override
  public void freeze(String slot) {
    freezer(slot).freeze();
  }

  @Override
  public void thaw(String slot) {
    freezer(slot).thaw();
  }

  @Override
  public void expedite(String slot) {
    if (Crowd.isIn(group("pids", slot))) {
      limitPids(slot, 0); // First, or what is born outruns what dies.
      ControlFile limit = ControlFile.in(group("memory", slot), "memory.limit_in_bytes");
      limitMemory(slot, new ByteSize(Crowd.memory(limit)));
    }
    thaw(slot);
    limitCpu(slot, SHARES_PER_CORE, 0);
  }

  @Override
  public void remove(String slot) {
    settings.forget(slot);
    CgroupRemoval.remove(slotGroups(slot));
  }

  @Override
  public void removeAll() {
    settings.forgetAll();
    CgroupRemoval.remove(engineGroups());
  }

  @Override
  public OptionalLong memoryLimit() {
    Path own = layout.groups().getOrDefault("memory", Path.of("/"));
    OptionalLong limit = ControlFile.in(own, "memory.stat").readKey("hierarchical_memory_limit");
    // "No limit" is the largest multiple of the page size; anything near it is none.
    return limit.isPresent() && limit.getAsLong() < Long.MAX_VALUE / 2
        ? limit
        : OptionalLong.empty();
  }

  @Override
  public OptionalDouble cpuLimit() {
    Path top = layout.mountPoints().getOrDefault("cpu", Path.of("/"));
    double least = Double.POSITIVE_INFINITY;
    for (Path group = layout.groups().getOrDefault("cpu", top);
        group != null && group.startsWith(top);
        group = group.getParent()) {
      ControlFile quota = ControlFile.in(group, "cpu.cfs_quota_us");
      if (quota.exists() && quota.readLong() != Long.MAX_VALUE) {
        double period = ControlFile.in(group, "cpu.cfs_period_us").readLong();
        least = Math.min(least, quota.readLong() / period);
      }
    }
    return Double.isInfinite(least) ? OptionalDouble.empty() : OptionalDouble.of(least);
  }

  private void limitMemory(String slot, ByteSize size) {
    settings.set(slot, "memory", size.bytes(), () -> limitMemory(group("memory", slot), size));
  }

  private void limitPids(String slot, int most) {
    settings.set(
        slot,
        "pids",
        most,
        () -> ControlFile.in(group("pids", slot), "pids.max").write(Integer.toString(most)));
  }

  /// The limit with swap may never be the smaller one, so which of the two is written first depends
  /// on the way it goes. Kernels without swap accounting have only one of them.
  private static void limitMemory(Path group, ByteSize size) {
    String value = Long.toString(size.bytes());
    ControlFile memory = ControlFile.in(group, "memory.limit_in_bytes");
    ControlFile withSwap = ControlFile.in(group, "memory.memsw.limit_in_bytes");
    List<ControlFile> order = new ArrayList<>(List.of(memory));
    if (withSwap.exists()) {
      boolean grows = size.bytes() > withSwap.readLong();
      order.add(grows ? 0 : 1, withSwap);
    }
    order.forEach(file -> file.write(value));
    limitSockets(group, size);
  }

  /// Socket buffers are counted apart on version 1, and only once they have a limit; without one, a
  /// sandbox fills the machine's memory through its own loopback.
  private static void limitSockets(Path group, ByteSize size) {
    ControlFile sockets = ControlFile.in(group, "memory.kmem.tcp.limit_in_bytes");
    if (sockets.exists()) {
      sockets.write(Long.toString(Math.max(MIN_SOCKET_BYTES, size.bytes() / SOCKET_SHARE)));
    }
  }

  private void limitCpu(String slot, long shares, double cores) {
    Path group = group("cpu", slot);
    settings.set(
        slot,
        "shares",
        shares,
        () -> ControlFile.in(group, "cpu.shares").write(Long.toString(shares)));
    long quota = Math.round(cores * CPU_PERIOD_MICROS);
    settings.set(slot, "quota", quota, () -> limitQuota(group, quota));
  }

  private static void limitQuota(Path group, long micros) {
    ControlFile quota = ControlFile.in(group, "cpu.cfs_quota_us");
    if (micros == 0) {
      if (quota.exists()) { // Kernels without CFS bandwidth control have no limit to lift.
        quota.write("-1");
      }
      return;
    }
    ControlFile.in(group, "cpu.cfs_period_us").write(Long.toString(CPU_PERIOD_MICROS));
    quota.write(Long.toString(Math.max(MIN_CPU_QUOTA_MICROS, micros)));
  }

  private static void make(Path group) {
    try {
      Files.createDirectories(group);
    } catch (IOException e) {
      throw new CgroupException(
          "make " + group + ": " + e.getMessage() + ". Hint: the engine needs root", e);
    }
  }

  private Freezer freezer(String slot) {
    String hierarchy = hasUnified() ? CgroupLayout.UNIFIED : CgroupLayout.FREEZER;
    return new Freezer(group(hierarchy, slot), hasUnified());
  }

  private boolean hasUnified() {
    return layout.groups().containsKey(CgroupLayout.UNIFIED);
  }

  private List<Path> slotGroups(String slot) {
    return engineGroups().stream().map(group -> group.resolve(slot)).toList();
  }

  private Path group(String controller, String slot) {
    return engineGroup(controller).resolve(slot);
  }

  private Path engineGroup(String controller) {
    Path own = layout.groups().get(controller);
    if (own == null) {
      throw new IllegalArgumentException("controller: \"" + controller + "\" is not used");
    }
    return own.resolve(engineGroup);
  }
}
