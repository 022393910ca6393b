package io.easyfaas.runnerruntime;

import static java.util.Objects.requireNonNull;

import io.easyfaas.common.config.Option;
import io.easyfaas.common.config.Settings;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// What is laid out, and where.
///
/// @param dataDirectory the engine's data directory
/// @param source where the root file system comes from
public record RunnerRuntimeConfig(Path dataDirectory, RootfsSource source) {
  /// Checks that nothing is null.
  public RunnerRuntimeConfig {
    requireNonNull(dataDirectory, "dataDirectory");
    requireNonNull(source, "source");
  }

  /// Every option with its default.
  public static List<Option> options() {
    return List.of(
        new Option("data-dir", "path", "/var/faas", "Code, root file system and other data."),
        new Option(
            "rootfs-source",
            "host-usr or path",
            "",
            "host-usr, or a directory with a root file system; default: as the last time."));
  }

  /// Reads the configuration.
  ///
  /// @param args `--key value` or `--key=value`
  /// @param environment usually {@link System#getenv()}
  /// @throws io.easyfaas.common.config.ConfigException naming the key, the value and what was
  ///   expected
  public static RunnerRuntimeConfig parse(List<String> args, Map<String, String> environment) {
    Settings settings = Settings.parse(options(), args, environment);
    RootfsSource source =
        switch (settings.text("rootfs-source")) {
          case "" -> new RootfsSource.Unchanged();
          case "host-usr" -> new RootfsSource.HostUsr();
          default -> new RootfsSource.Tree(settings.path("rootfs-source"));
        };
    return new RunnerRuntimeConfig(settings.path("data-dir"), source);
  }
}
