package io.easyfaas.funclet.cgroup;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The groups of one slot, as the launcher's `open` wants them.
///
/// @param joined what the keeper joins: they hold the limits
/// @param sandbox the version 2 group the sandbox is born in, without its keeper: it is what a
///   pause stops. Null when this machine has no version 2; then one of the others stops, keeper and
///   all
public record SlotGroups(List<Path> joined, @Nullable Path sandbox) {
  /// Copies the list.
  public SlotGroups {
    joined = List.copyOf(joined);
  }
}
