package io.easyfaas.funclet.container;

import io.easyfaas.funclet.cgroup.CgroupException;
import io.easyfaas.funclet.cgroup.CgroupLimits;
import io.easyfaas.funclet.cgroup.CgroupStats;
import io.easyfaas.funclet.cgroup.Cgroups;
import io.easyfaas.funclet.cgroup.SlotGroups;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// Groups that are a map from slot to limits. Thread-safe.
final class FakeCgroups implements Cgroups {
  final Map<String, CgroupLimits> slots = new ConcurrentHashMap<>();
  volatile @Nullable String failure;
  volatile long oomKills;
  final Set<String> frozen = ConcurrentHashMap.newKeySet();
  volatile Runnable beforeFreeze = () -> {};

  @Override
  public List<Path> engineGroups() {
    return List.of(Path.of("/cg"));
  }

  @Override
  public void prepare() {}

  @Override
  public SlotGroups create(String slot, CgroupLimits limits) {
    limit(slot, limits);
    return new SlotGroups(List.of(Path.of("/cg", slot)), null);
  }

  @Override
  public void limit(String slot, CgroupLimits limits) {
    fail();
    slots.put(slot, limits);
  }

  @Override
  public CgroupStats stats(String slot) {
    return new CgroupStats(1, 2, 3, 4, false);
  }

  @Override
  public long oomKills(String slot) {
    return oomKills;
  }

  @Override
  public void freeze(String slot) {
    beforeFreeze.run();
    frozen.add(slot);
  }

  @Override
  public void thaw(String slot) {
    frozen.remove(slot);
  }

  @Override
  public void expedite(String slot) {
    thaw(slot);
  }

  @Override
  public void remove(String slot) {
    fail();
    slots.remove(slot);
  }

  @Override
  public void removeAll() {
    slots.clear();
  }

  @Override
  public OptionalLong memoryLimit() {
    return OptionalLong.empty();
  }

  @Override
  public OptionalDouble cpuLimit() {
    return OptionalDouble.empty();
  }

  private void fail() {
    String message = failure;
    if (message != null) {
      throw new CgroupException(message, null);
    }
  }
}
