package io.easyfaas.funclet.container;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.function.FunctionConfiguration;
import io.easyfaas.common.function.FunctionDocument.FunctionCode;
import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.wire.WarmupRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A warm-up request, checked.
///
/// @param function full name with version, for logs
/// @param code where the code is
/// @param codeSha256 base64
/// @param memory the limit
/// @param runtime the language runtime's directory on the host
/// @param command program and arguments, as paths inside the sandbox
record FunctionLaunch(
    String function,
    FunctionCode code,
    String codeSha256,
    ByteSize memory,
    Path runtime,
    List<String> command) {
  private static final int MAX_MEMORY_MEBIBYTES = 1 << 20;

  /// Copies the command.
  FunctionLaunch {
    command = List.copyOf(command);
  }

  /// Checks a request.
  ///
  /// @throws ApiException naming what is missing or wrong
  static FunctionLaunch of(WarmupRequest request) {
    FunctionConfiguration configuration = present(request.configuration(), "Configuration");
    RuntimeConfiguration runtime = present(request.runtimeConfiguration(), "RuntimeConfiguration");
    int mebibytes = configuration.memoryMebibytesOrDefault();
    if (mebibytes < 1 || mebibytes > MAX_MEMORY_MEBIBYTES) {
      throw bad("MemorySize: " + mebibytes + " (expected: 1 to " + MAX_MEMORY_MEBIBYTES + " MiB)");
    }
    List<String> command = new ArrayList<>(List.of(runtime.bin()));
    command.addAll(runtime.args());
    if (!runtime.bin().startsWith("/") || command.stream().anyMatch(a -> a.indexOf('\0') >= 0)) {
      throw new ApiException(
          ErrorCode.INVALID_RUNTIME,
          "runtime "
              + runtime.name()
              + ": Bin \""
              + runtime.bin()
              + "\" (expected: an absolute path)");
    }
    String function = configuration.functionArn();
    return new FunctionLaunch(
        function == null ? "" : function,
        present(request.code(), "Code"),
        present(configuration.codeSha256(), "CodeSha256"),
        ByteSize.ofMebibytes(mebibytes),
        runtimeDirectory(runtime),
        command);
  }

  private static Path runtimeDirectory(RuntimeConfiguration runtime) {
    try {
      Path path = Path.of(runtime.path());
      if (path.isAbsolute() && Files.isDirectory(path)) {
        return path.toRealPath(); // The launcher refuses a source that is a symbolic link.
      }
    } catch (InvalidPathException | IOException _) {
      // Falls through to the one message for all.
    }
    throw new ApiException(
        ErrorCode.INVALID_RUNTIME,
        "runtime "
            + runtime.name()
            + ": Path \""
            + runtime.path()
            + "\" (expected: an existing directory)");
  }

  private static <T> T present(@Nullable T value, String member) {
    if (value == null) {
      throw bad(member + " is missing");
    }
    return value;
  }

  private static ApiException bad(String cause) {
    return new ApiException(ErrorCode.INVALID_PARAMETER, cause);
  }
}
