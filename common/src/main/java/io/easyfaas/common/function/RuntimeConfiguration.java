package io.easyfaas.common.function;

import static java.util.Objects.requireNonNull;
import static java.util.Objects.requireNonNullElse;

import java.util.List;

/// How a language runtime is started inside a sandbox.
///
/// @param name for example `nodejs20`
/// @param bin the program, as a path inside the sandbox
/// @param path the directory on the host that is mounted at `/var/runtime`
/// @param args the program's arguments
/// @param aliases other names that mean this runtime; empty when there are none
public record RuntimeConfiguration(
    String name, String bin, String path, List<String> args, List<String> aliases) {
  /// Where a function's code is inside a sandbox.
  public static final String CODE_ROOT = "/var/task";

  /// Copies the lists.
  public RuntimeConfiguration {
    requireNonNull(name, "Name");
    requireNonNull(bin, "Bin");
    requireNonNull(path, "Path");
    args = List.copyOf(requireNonNullElse(args, List.of()));
    aliases = List.copyOf(requireNonNullElse(aliases, List.of()));
  }

  /// Whether the runner can be started before the code is there: nothing of the command is code.
  public boolean startsWithoutCode() {
    return !isCode(bin) && args.stream().noneMatch(RuntimeConfiguration::isCode);
  }

  private static boolean isCode(String part) {
    return part.equals(CODE_ROOT) || part.startsWith(CODE_ROOT + "/");
  }

  /// Whether a function that asks for a runtime of this name gets this one.
  public boolean answersTo(String runtime) {
    return name.equals(runtime) || aliases.contains(runtime);
  }
}
