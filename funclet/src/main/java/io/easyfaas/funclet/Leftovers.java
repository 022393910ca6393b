package io.easyfaas.funclet;

import io.easyfaas.common.config.ConfigException;
import io.easyfaas.common.disk.SmallFile;
import io.easyfaas.funclet.cgroup.CgroupRemoval;
import io.easyfaas.funclet.cgroup.EngineCgroups;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Removes the control groups a killed engine of the same data directory left, and kills what is in
/// them.
///
/// The engine may have been started in another group than this one (another login session, another
/// unit), so it writes down where its groups are before it makes them.
final class Leftovers {
  private static final Logger LOG = LoggerFactory.getLogger(Leftovers.class);

  private final SmallFile record;
  private final String groupName;

  /// @param engineId whose
  Leftovers(Path dataDirectory, String engineId) {
    this.record = new SmallFile(dataDirectory.resolve("cgroups"));
    this.groupName = EngineCgroups.PREFIX + engineId;
  }

  /// Removes the groups on record and these, and puts these on record.
  ///
  /// @param groups the engine's own, which do not exist yet or are left over
  void sweep(List<Path> groups) {
    List<Path> all = new ArrayList<>(groups);
    recorded().stream().filter(group -> !groups.contains(group)).forEach(all::add);
    int killed = CgroupRemoval.remove(all);
    if (killed > 0) {
      LOG.warn("{} processes of an engine that was killed were still running: killed", killed);
    }
    try {
      record.replace(groups.stream().map(group -> group + "\n").collect(Collectors.joining()));
    } catch (IOException e) {
      throw new ConfigException("--data-dir: " + record.path() + ": " + e.getMessage());
    }
  }

  /// Only directories of this engine's name: the file is data, and what it names is removed.
  private List<Path> recorded() {
    return record.read().stream()
        .flatMap(String::lines)
        .filter(line -> line.startsWith("/") && line.indexOf('\0') < 0)
        .map(Path::of)
        .filter(group -> group.equals(group.normalize()))
        .filter(group -> group.endsWith(groupName))
        .toList();
  }
}
