package io.easyfaas.stubs.store;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.disk.SmallFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The highest version number each function ever had, once one of its versions was deleted: a file
/// a function. Not thread-safe for one function; owned by {@link FunctionStore}.
final class VersionNumbers {
  private static final Logger LOG = LoggerFactory.getLogger(VersionNumbers.class);
  private static final int MAX_DIGITS = 18; // See Qualifier.Version.

  private final Path directory;
  private final Path incoming;
  private final Disk disk;

  /// @param incoming an existing directory on the same file system, for what is not whole
  VersionNumbers(Path directory, Path incoming, Disk disk) {
    this.directory = directory;
    this.incoming = incoming;
    this.disk = disk;
  }

  /// The remembered number; 0 when there is none, or the file is damaged, which is logged.
  ///
  /// @param function without a version
  long of(FunctionBrn function) {
    Path file = directory.resolve(function.toString());
    String text = new SmallFile(file).read().map(String::strip).orElse("0");
    if (text.matches("[0-9]{1," + MAX_DIGITS + "}")) {
      return Long.parseLong(text);
    }
    LOG.warn("{} is left out: no number", file);
    return 0;
  }

  /// Remembers a number, durably, unless it is remembered.
  ///
  /// @param function without a version
  /// @throws IOException the number before is still remembered
  void remember(FunctionBrn function, long number) throws IOException {
    if (number <= of(function)) {
      return;
    }
    Path file = directory.resolve(function.toString());
    Path draft = incoming.resolve(UUID.randomUUID() + ".number");
    try {
      SmallFile.clear(file);
      disk.write(draft, Long.toString(number).getBytes(UTF_8));
      disk.move(draft, file);
      disk.sync(directory);
    } catch (IOException e) {
      disk.discard(draft);
      throw e;
    }
  }
}
