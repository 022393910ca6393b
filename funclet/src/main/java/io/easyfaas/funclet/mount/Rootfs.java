package io.easyfaas.funclet.mount;

import static java.util.Objects.requireNonNullElse;

import io.easyfaas.common.config.ConfigException;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.json.JsonException;
import io.easyfaas.funclet.launch.LauncherCommand.Bind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The directory tree every sandbox has as its root, and the host directories bound into it.
///
/// @param directory the root
/// @param binds read-only, in order
/// @param hasHosts whether there is a file `/etc/hosts` to bind a slot's own over
public record Rootfs(Path directory, List<Bind> binds, boolean hasHosts) {
  /// Copies the list.
  public Rootfs {
    binds = List.copyOf(binds);
  }

  /// Reads what `easyfaas runner-runtime` laid out in a data directory: `rootfs/` and
  /// `rootfs.json`, which says `{"source":"…","binds":[["/usr","/usr"]]}`.
  ///
  /// @throws ConfigException when either is missing or malformed, or a bound directory is not there
  public static Rootfs load(Path dataDirectory) {
    Path directory = dataDirectory.resolve("rootfs");
    Path description = dataDirectory.resolve("rootfs.json");
    if (!Files.isDirectory(directory) || !Files.isRegularFile(description)) {
      throw new ConfigException(
          "rootfs: "
              + directory
              + " and "
              + description
              + " are not both there. Hint: run `easyfaas runner-runtime --data-dir "
              + dataDirectory
              + "` first");
    }
    List<Bind> binds = new ArrayList<>();
    for (List<String> pair : read(description).binds()) {
      if (pair.size() != 2 || !pair.get(0).startsWith("/") || !pair.get(1).startsWith("/")) {
        throw new ConfigException(
            description + ": bind " + pair + " (expected: two absolute paths)");
      }
      binds.add(new Bind(realPath(pair.get(0), description), pair.get(1)));
    }
    boolean hasHosts =
        Files.isRegularFile(directory.resolve("etc/hosts"), LinkOption.NOFOLLOW_LINKS);
    return new Rootfs(directory, binds, hasHosts);
  }

  /// The launcher refuses a source that is a symbolic link.
  private static Path realPath(String source, Path description) {
    try {
      return Path.of(source).toRealPath();
    } catch (IOException _) {
      throw new ConfigException(description + ": " + source + " does not exist");
    }
  }

  private static Description read(Path file) {
    try {
      return Json.CAMEL.read(Files.readAllBytes(file), Description.class);
    } catch (IOException | JsonException e) {
      throw new ConfigException(file + ": " + e.getMessage());
    }
  }

  /// The file as it is written.
  record Description(List<List<String>> binds) {
    Description {
      binds = List.copyOf(requireNonNullElse(binds, List.of()));
    }
  }
}
