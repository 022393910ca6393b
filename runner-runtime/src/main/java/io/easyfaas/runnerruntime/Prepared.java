package io.easyfaas.runnerruntime;

import static java.util.Objects.requireNonNull;

import io.easyfaas.common.function.RuntimeConfiguration;
import java.nio.file.Path;
import java.util.List;

/// What was laid out.
///
/// @param rootfs directory of the root file system
/// @param source where it comes from
/// @param runtimes every runtime that functions can use now
/// @param missing one sentence for each language there is no runtime for: what was looked for, and
///   why what was found does not do
public record Prepared(
    Path rootfs,
    RootfsSource.Known source,
    List<RuntimeConfiguration> runtimes,
    List<String> missing) {
  /// Copies the lists.
  public Prepared {
    requireNonNull(rootfs, "rootfs");
    requireNonNull(source, "source");
    runtimes = List.copyOf(runtimes);
    missing = List.copyOf(missing);
  }
}
