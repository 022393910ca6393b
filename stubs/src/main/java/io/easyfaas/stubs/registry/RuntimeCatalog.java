package io.easyfaas.stubs.registry;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;
import static java.util.Comparator.comparing;

import io.easyfaas.common.disk.SmallFile;
import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.json.JsonException;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The language runtimes of this machine: every `runtime.json` one directory below the runtimes
/// directory, as runner-runtime lays them out. Read anew each time, so that a runtime that is laid
/// out while the engine runs can be used at once. Thread-safe.
public final class RuntimeCatalog {
  private static final Logger LOG = LoggerFactory.getLogger(RuntimeCatalog.class);
  private static final String DESCRIPTION = "runtime.json";

  private final Path directory;

  /// @param directory may be empty or missing: then there is no runtime
  public RuntimeCatalog(Path directory) {
    this.directory = directory;
  }

  /// Every runtime, by name. One whose description cannot be read is left out and logged.
  public List<RuntimeConfiguration> list() {
    List<RuntimeConfiguration> runtimes = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
      for (Path entry : entries) {
        read(entry.resolve(DESCRIPTION)).ifPresent(runtimes::add);
      }
    } catch (NoSuchFileException _) {
      return List.of();
    } catch (IOException e) {
      throw new ApiException(ErrorCode.SERVICE, "list " + directory + ": " + e);
    }
    runtimes.sort(comparing(RuntimeConfiguration::name));
    return List.copyOf(runtimes);
  }

  /// The runtime that answers to a name. One that has the name comes before one that has it as an
  /// alias.
  public Optional<RuntimeConfiguration> find(String name) {
    List<RuntimeConfiguration> runtimes = list();
    return runtimes.stream()
        .filter(runtime -> runtime.name().equals(name))
        .findFirst()
        .or(() -> runtimes.stream().filter(runtime -> runtime.answersTo(name)).findFirst());
  }

  /// What there is instead of an unknown runtime, for its error message.
  String expected() {
    List<RuntimeConfiguration> runtimes = list();
    return runtimes.isEmpty()
        ? "a runtime in " + directory + ", which has none. Hint: easyfaas runner-runtime"
        : "one of "
            + runtimes.stream().map(RuntimeConfiguration::name).collect(Collectors.joining(", "));
  }

  private static Optional<RuntimeConfiguration> read(Path file) {
    if (!Files.exists(file, NOFOLLOW_LINKS)) {
      return Optional.empty(); // Not a runtime's directory, or one that is being laid out.
    }
    try {
      return Optional.of(Json.PASCAL.read(new SmallFile(file).bytes(), RuntimeConfiguration.class));
    } catch (IOException | JsonException e) {
      LOG.warn("runtime {} is left out: {}", file, e.getMessage());
      return Optional.empty();
    }
  }
}
