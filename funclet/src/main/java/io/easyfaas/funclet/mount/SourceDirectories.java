package io.easyfaas.funclet.mount;

import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// The directories of the host that runtimes and code may be taken from. Funclet opens what it is
/// asked to as root: whoever asks must not thereby read all that there is.
///
/// @param directories absolute; those that do not exist hold nothing
public record SourceDirectories(List<Path> directories) {
  /// Copies the list.
  public SourceDirectories {
    directories = List.copyOf(directories);
  }

  /// Where a path leads, when that is in one of the directories. Symbolic links are followed, but
  /// not out of them.
  ///
  /// @param what it is, for the message
  /// @param path absolute
  /// @throws ApiException INVALID_PARAMETER when it is outside, whether it exists or not
  /// @throws IOException when it is inside, and does not exist or cannot be looked at
  public Path resolve(String what, Path path) throws IOException {
    Path real;
    try {
      real = path.toRealPath();
    } catch (IOException e) {
      if (directories.stream().anyMatch(path.normalize()::startsWith)) {
        throw e;
      }
      throw outside(what, path);
    }
    for (Path directory : directories) {
      if (Files.exists(directory) && real.startsWith(directory.toRealPath())) {
        return real;
      }
    }
    throw outside(what, path);
  }

  private ApiException outside(String what, Path path) {
    return new ApiException(
        ErrorCode.INVALID_PARAMETER,
        what + ": \"" + path + "\" (expected: in one of " + directories + ", see --source-dirs)");
  }
}
