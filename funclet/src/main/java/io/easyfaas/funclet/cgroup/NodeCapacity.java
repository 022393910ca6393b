package io.easyfaas.funclet.cgroup;

import io.easyfaas.common.config.ByteSize;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What the machine, or the part of it the engine runs in, has.
///
/// @param memory all of it
/// @param cores all of them, fractions included
public record NodeCapacity(ByteSize memory, double cores) {
  private static final Pattern MEM_TOTAL = Pattern.compile("(?m)^MemTotal:\\s+(\\d+) kB$");

  /// The smaller of the machine and the limit of the engine's own group. Pure.
  ///
  /// @param memoryLimit bytes; empty when there is none
  /// @param cpuLimit cores; empty when there is none
  /// @param meminfo text of `/proc/meminfo`
  /// @param processors the machine's
  public static NodeCapacity of(
      OptionalLong memoryLimit, OptionalDouble cpuLimit, String meminfo, int processors) {
    Matcher total = MEM_TOTAL.matcher(meminfo);
    if (!total.find()) {
      throw new CgroupException("/proc/meminfo: no MemTotal", null);
    }
    long installed = Long.parseLong(total.group(1)) * 1024;
    return new NodeCapacity(
        new ByteSize(Math.min(installed, memoryLimit.orElse(Long.MAX_VALUE))),
        Math.min(processors, cpuLimit.orElse(Double.MAX_VALUE)));
  }
}
