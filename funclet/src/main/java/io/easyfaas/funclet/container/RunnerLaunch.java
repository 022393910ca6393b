package io.easyfaas.funclet.container;

import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.funclet.mount.SourceDirectories;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// How a runner is started, checked. Two that are equal start the same runner.
///
/// @param runtime the language runtime's directory on the host
/// @param command program and arguments, as paths inside the sandbox
/// @param startsWithoutCode whether it can be started before a function's code is there
record RunnerLaunch(Path runtime, List<String> command, boolean startsWithoutCode) {
  /// Copies the command.
  RunnerLaunch {
    command = List.copyOf(command);
  }

  /// Checks a runtime.
  ///
  /// @param sources where it may be
  /// @throws ApiException naming what is missing or wrong
  static RunnerLaunch of(@Nullable RuntimeConfiguration runtime, SourceDirectories sources) {
    if (runtime == null) {
      throw new ApiException(ErrorCode.INVALID_PARAMETER, "RuntimeConfiguration is missing");
    }
    List<String> command = new ArrayList<>(List.of(runtime.bin()));
    command.addAll(runtime.args());
    if (!runtime.bin().startsWith("/") || command.stream().anyMatch(a -> a.indexOf('\0') >= 0)) {
      throw invalid(runtime, "Bin \"" + runtime.bin() + "\" (expected: an absolute path)");
    }
    return new RunnerLaunch(directory(runtime, sources), command, runtime.startsWithoutCode());
  }

  private static Path directory(RuntimeConfiguration runtime, SourceDirectories sources) {
    try {
      Path path = Path.of(runtime.path());
      if (path.isAbsolute()) {
        // The launcher refuses a source that is a symbolic link.
        Path real = sources.resolve("runtime " + runtime.name() + ": Path", path);
        if (Files.isDirectory(real)) {
          return real;
        }
      }
    } catch (InvalidPathException | IOException _) {
      // Falls through to the one message for all.
    }
    throw invalid(runtime, "Path \"" + runtime.path() + "\" (expected: an existing directory)");
  }

  private static ApiException invalid(RuntimeConfiguration runtime, String what) {
    return new ApiException(ErrorCode.INVALID_RUNTIME, "runtime " + runtime.name() + ": " + what);
  }
}
