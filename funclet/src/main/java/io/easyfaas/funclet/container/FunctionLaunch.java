package io.easyfaas.funclet.container;

import static java.util.Objects.requireNonNullElse;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.function.FunctionConfiguration;
import io.easyfaas.common.function.FunctionDocument.FunctionCode;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ChannelAddress;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.wire.WarmupRequest;
import io.easyfaas.funclet.code.CodeCache;
import io.easyfaas.funclet.code.CodeHash;
import io.easyfaas.funclet.code.CodeKey;
import io.easyfaas.funclet.mount.SourceDirectories;
import org.jspecify.annotations.Nullable;

/// A warm-up request, checked.
///
/// @param function full name with version, for logs
/// @param code where the code is
/// @param codeKey whose code, and which
/// @param codeBytes of its archive, as far as that is known
/// @param memory the limit
/// @param runner how its runner is started
/// @param channel where the ends of the runner's channel are handed over; null when it runs already
record FunctionLaunch(
    String function,
    FunctionCode code,
    CodeKey codeKey,
    long codeBytes,
    ByteSize memory,
    RunnerLaunch runner,
    @Nullable ChannelAddress channel) {
  private static final int MAX_MEMORY_MEBIBYTES = 1 << 20;

  /// Checks a request.
  ///
  /// @param sources where its runtime may be
  /// @throws ApiException naming what is missing or wrong
  static FunctionLaunch of(WarmupRequest request, SourceDirectories sources) {
    FunctionConfiguration configuration = present(request.configuration(), "Configuration");
    int mebibytes = configuration.memoryMebibytesOrDefault();
    if (mebibytes < 1 || mebibytes > MAX_MEMORY_MEBIBYTES) {
      throw bad("MemorySize: " + mebibytes + " (expected: 1 to " + MAX_MEMORY_MEBIBYTES + " MiB)");
    }
    String function = requireNonNullElse(configuration.functionArn(), "");
    CodeHash hash = CodeHash.ofBase64(present(configuration.codeSha256(), "CodeSha256"));
    return new FunctionLaunch(
        function,
        present(request.code(), "Code"),
        CodeKey.of(function, hash),
        Math.clamp(
            requireNonNullElse(configuration.codeSize(), 0L), 0, CodeCache.MAX_ARCHIVE_BYTES),
        ByteSize.ofMebibytes(mebibytes),
        RunnerLaunch.of(request.runtimeConfiguration(), sources),
        request.channel());
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
