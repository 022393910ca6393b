package io.easyfaas.funclet.mount;

import static java.util.Objects.requireNonNullElse;

import io.easyfaas.common.config.ConfigException;
import io.easyfaas.common.disk.DiskTree;
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
/// @param hasHosts whether there is a file `/etc/hosts` to mount a slot's own over
/// @param empty a directory that has nothing in it
public record Rootfs(Path directory, List<Bind> binds, boolean hasHosts, Path empty) {
  /// Copies the list.
  public Rootfs {
    binds = List.copyOf(binds);
  }

  /// Reads what `easyfaas runner-runtime` laid out in a data directory: `rootfs/` and
  /// `rootfs.json`, which says
  /// `{"source":"…","binds":[["/usr","bin","/usr/bin"],["/lib","/lib"]]}`: a source, the part of it
  /// if not all is bound, a destination. Makes `empty/` anew.
  ///
  /// @throws ConfigException when either is missing or malformed, or a bound directory is not
  ///   there, or the empty one cannot be made
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
    for (List<String> words : read(description).binds()) {
      if (words.size() < 2
          || words.size() > 3
          || !words.getFirst().startsWith("/")
          || !words.getLast().startsWith("/")) {
        throw new ConfigException(
            description
                + ": bind "
                + words
                + " (expected: two absolute paths, and a name between them for a part)");
      }
      binds.add(
          new Bind(
              realPath(words.getFirst(), description),
              words.size() == 3 ? words.get(1) : null,
              words.getLast()));
    }
    boolean hasHosts =
        Files.isRegularFile(directory.resolve("etc/hosts"), LinkOption.NOFOLLOW_LINKS);
    return new Rootfs(directory, binds, hasHosts, makeEmpty(dataDirectory.resolve("empty")));
  }

  /// Anew, because what is in it would be seen in every sandbox.
  private static Path makeEmpty(Path directory) {
    try {
      DiskTree.delete(directory);
      return Files.createDirectory(directory);
    } catch (IOException e) {
      throw new ConfigException("--data-dir: make " + directory + ": " + e.getMessage());
    }
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
