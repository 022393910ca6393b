package io.easyfaas.funclet.cgroup;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;

/// Control groups of version 2: one tree.
///
/// **Where the tree grows.** A group that has processes cannot hand controllers to groups below it
/// ("no internal processes", cgroups(7)), and the group the engine is started in has at least the
/// engine. So unless that group is the root of the whole machine, its processes are moved into a
/// leaf `engine` below it first. An engine that finds itself in a leaf of that name, because it was
/// there before or because systemd put it there (`DelegateSubgroup=engine`), grows its tree beside
/// the leaf.
///
/// **Weight.** A share of 1024 a core is turned into a weight as systemd and runc do: 2…262144 is
/// stretched over 1…10000.
final class CgroupsV2 implements Cgroups {
  private static final List<String> CONTROLLERS = List.of("memory", "cpu", "pids");
  private static final String LEAF = "engine";
  private static final long CPU_PERIOD_MICROS = 100_000;
  private static final long MIN_CPU_QUOTA_MICROS = 1000;
  // Without controllers: "no internal processes" is about groups that hand them down.
  private static final String SANDBOX = "sandbox";

  private final CgroupLayout.V2 layout;
  private final Path base;
  private final Path engine;
  private final Settings settings = new Settings();

  CgroupsV2(CgroupLayout.V2 layout, String engineGroup) {
    this.layout = layout;
    this.base = base(layout);
    this.engine = base.resolve(engineGroup);
  }

  @Override
  public List<Path> engineGroups() {
    return List.of(engine);
  }

  @Override
  public void prepare() {
    // The groups above first: a login session, for example, was not handed the cpu controller.
    List<Path> outermostFirst = upwards().reversed();
    outermostFirst.subList(0, outermostFirst.size() - 1).forEach(CgroupsV2::handDown);
    if (isBelowRoot(base)) {
      moveProcesses(base, base.resolve(LEAF));
    }
    handDown(base);
    make(engine);
    handDown(engine);
  }

  @Override
  public SlotGroups create(String slot, CgroupLimits limits) {
    make(group(slot).resolve(SANDBOX));
    settings.forget(slot);
    limit(slot, limits);
    return new SlotGroups(List.of(group(slot)), group(slot).resolve(SANDBOX));
  }

  @Override
  public void limit(String slot, CgroupLimits limits) {
    limitMemory(slot, limits.memory().bytes());
    limitCpu(slot, weight(limits.cpuRequest()), limits.cpuLimit());
    limitPids(slot, limits.pids());
  }

  @Override
  public CgroupStats stats(String slot) {
    Path group = group(slot);
    long limit = ControlFile.in(group, "memory.max").readLong();
    ControlFile swap = ControlFile.in(group, "memory.swap.max");
    long swapLimit = swap.exists() ? swap.readLong() : 0;
    return new CgroupStats(
        ControlFile.in(group, "memory.current").readLong(),
        limit,
        swapLimit >= Long.MAX_VALUE - limit ? Long.MAX_VALUE : limit + swapLimit,
        ControlFile.in(group, "cpu.stat").readKey("usage_usec").orElse(0) * 1000,
        freezer(slot).isFrozen());
  }

  @Override
  public long oomKills(String slot) {
    return ControlFile.in(group(slot), "memory.events").readKey("oom_kill").orElse(0);
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
    if (Crowd.isIn(group(slot))) {
      limitPids(slot, 0); // First, or what is born outruns what dies.
      limitMemory(slot, Crowd.memory(ControlFile.in(group(slot), "memory.max")));
    }
    thaw(slot);
    limitCpu(slot, weight(1), 0);
  }

  @Override
  public void remove(String slot) {
    settings.forget(slot);
    CgroupRemoval.remove(List.of(group(slot)));
  }

  @Override
  public void removeAll() {
    settings.forgetAll();
    CgroupRemoval.remove(List.of(engine));
  }

  @Override
  public OptionalLong memoryLimit() {
    long least = Long.MAX_VALUE;
    for (Path group : upwards()) {
      ControlFile max = ControlFile.in(group, "memory.max");
      least = Math.min(least, max.exists() ? max.readLong() : Long.MAX_VALUE);
    }
    return least == Long.MAX_VALUE ? OptionalLong.empty() : OptionalLong.of(least);
  }

  @Override
  public OptionalDouble cpuLimit() {
    double least = Double.POSITIVE_INFINITY;
    for (Path group : upwards()) {
      ControlFile max = ControlFile.in(group, "cpu.max");
      String[] fields = max.exists() ? max.read().split(" ") : new String[] {"max"};
      if (fields.length == 2 && !fields[0].equals("max")) {
        least = Math.min(least, Double.parseDouble(fields[0]) / Double.parseDouble(fields[1]));
      }
    }
    return Double.isInfinite(least) ? OptionalDouble.empty() : OptionalDouble.of(least);
  }

  static long weight(double cores) {
    double shares = Math.clamp(cores * 1024, 2, 262_144);
    return 1 + Math.round((shares - 2) * 9999 / 262_142);
  }

  private void limitMemory(String slot, long bytes) {
    settings.set(slot, "memory", bytes, () -> limitMemory(group(slot), bytes));
  }

  private void limitPids(String slot, int most) {
    settings.set(
        slot,
        "pids",
        most,
        () -> ControlFile.in(group(slot), "pids.max").write(Integer.toString(most)));
  }

  private static void limitMemory(Path group, long bytes) {
    ControlFile.in(group, "memory.max").write(Long.toString(bytes));
    ControlFile swap = ControlFile.in(group, "memory.swap.max");
    if (swap.exists()) { // Absent without swap support in the kernel.
      swap.write("0");
    }
  }

  private void limitCpu(String slot, long weight, double cores) {
    Path group = group(slot);
    settings.set(
        slot,
        "weight",
        weight,
        () -> ControlFile.in(group, "cpu.weight").write(Long.toString(weight)));
    long quota = Math.round(cores * CPU_PERIOD_MICROS);
    settings.set(slot, "quota", quota, () -> limitQuota(group, quota));
  }

  private static void limitQuota(Path group, long quota) {
    ControlFile.in(group, "cpu.max")
        .write(
            (quota == 0 ? "max" : Long.toString(Math.max(MIN_CPU_QUOTA_MICROS, quota)))
                + " "
                + CPU_PERIOD_MICROS);
  }

  private static Path base(CgroupLayout.V2 layout) {
    Path own = layout.group();
    Path parent = own.getParent();
    Path name = own.getFileName();
    boolean isLeaf =
        name != null && name.toString().equals(LEAF) && !own.equals(layout.mountPoint());
    return isLeaf && parent != null ? parent : own;
  }

  /// Only the root of the whole tree has no type, see cgroups(7).
  private static boolean isBelowRoot(Path group) {
    return Files.exists(group.resolve("cgroup.type"));
  }

  private static void moveProcesses(Path from, Path to) {
    // Processes that fork while being moved leave children behind, so look again.
    for (int round = 0; round < 10; round++) {
      Set<String> pids = Set.copyOf(ControlFile.in(from, "cgroup.procs").read().lines().toList());
      if (pids.isEmpty()) {
        return;
      }
      make(to);
      for (String pid : pids) {
        try {
          ControlFile.in(to, "cgroup.procs").tryWrite(pid);
        } catch (IOException _) {
          // It ended in the meantime, or is a kernel thread; the next round or step tells.
        }
      }
    }
  }

  private static void handDown(Path group) {
    List<String> there = words(ControlFile.in(group, "cgroup.controllers"));
    if (!there.containsAll(CONTROLLERS)) {
      throw new CgroupException(
          group
              + " has the controllers "
              + there
              + " (expected: "
              + CONTROLLERS
              + "). Hint: run the engine in a group they are delegated to, for example with"
              + " systemd's Delegate=yes",
          null);
    }
    ControlFile subtree = ControlFile.in(group, "cgroup.subtree_control");
    if (!words(subtree).containsAll(CONTROLLERS)) {
      subtree.write("+memory +cpu +pids");
    }
  }

  private static List<String> words(ControlFile file) {
    return List.of(file.read().split("\\s+"));
  }

  private Freezer freezer(String slot) {
    return new Freezer(group(slot).resolve(SANDBOX), true);
  }

  private static void make(Path group) {
    try {
      Files.createDirectories(group);
    } catch (IOException e) {
      throw new CgroupException(
          "make " + group + ": " + e.getMessage() + ". Hint: the engine needs root", e);
    }
  }

  /// The base and every group above it that can be seen.
  private List<Path> upwards() {
    return java.util.stream.Stream.iterate(
            base, group -> group.startsWith(layout.mountPoint()), Path::getParent)
        .toList();
  }

  private Path group(String slot) {
    return engine.resolve(slot);
  }
}
