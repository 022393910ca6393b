package io.easyfaas.funclet.cgroup;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Chooses the version of control groups this machine has.
public final class EngineCgroups {
  /// What every engine's group is named with; its id follows.
  public static final String PREFIX = "easyfaas-";

  private EngineCgroups() {}

  /// The groups of an engine.
  ///
  /// @param engineId 8 hexadecimal digits
  /// @param root where the hierarchies are mounted, usually `/sys/fs/cgroup`
  /// @throws CgroupException when the machine has no usable control groups
  public static Cgroups of(String engineId, Path root) {
    try {
      return of(
          engineId,
          CgroupLayout.discover(
              Files.readString(Path.of("/proc/self/mountinfo")),
              Files.readString(Path.of("/proc/self/cgroup")),
              root));
    } catch (IOException e) {
      throw new CgroupException("control groups: " + e.getMessage(), e);
    }
  }

  static Cgroups of(String engineId, CgroupLayout layout) {
    return switch (layout) {
      case CgroupLayout.V1 v1 -> new CgroupsV1(v1, PREFIX + engineId);
      case CgroupLayout.V2 v2 -> new CgroupsV2(v2, PREFIX + engineId);
    };
  }
}
