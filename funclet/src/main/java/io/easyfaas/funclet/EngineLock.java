package io.easyfaas.funclet;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.config.ConfigException;
import io.easyfaas.common.disk.DirectoryLock;
import io.easyfaas.common.disk.DiskFailure;
import io.easyfaas.common.hash.Digests;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;

/// The right to be the one engine of a directory, see {@link DirectoryLock}. Thread-safe.
final class EngineLock implements AutoCloseable {
  private final DirectoryLock lock;
  private final Path directory;

  private EngineLock(DirectoryLock lock, Path directory) {
    this.lock = lock;
    this.directory = directory;
  }

  /// The right to a data directory.
  ///
  /// @param directory is made when it does not exist
  /// @throws ConfigException when another engine has it, or the directory cannot be written
  static EngineLock ofData(Path directory) {
    return take("--data-dir", directory, ".engine.lock");
  }

  /// The right to a run directory. Its sockets would be taken for leftovers by an engine with a
  /// data directory of its own.
  ///
  /// @param directory is made when it does not exist
  /// @throws ConfigException when another engine has it, or the directory cannot be written
  static EngineLock ofRun(Path directory) {
    return take("--run-dir", directory, ".funclet.lock");
  }

  private static EngineLock take(String option, Path directory, String file) {
    try {
      Files.createDirectories(directory);
      return new EngineLock(DirectoryLock.take(directory.resolve(file)), directory);
    } catch (DirectoryLock.HeldException e) {
      throw new ConfigException(
          option + ": " + directory + " is in use by another engine (pid " + e.holder() + ")");
    } catch (AccessDeniedException e) {
      throw new ConfigException(
          option + ": " + DiskFailure.text(e) + ". Hint: the engine needs root");
    } catch (IOException e) {
      throw new ConfigException(option + " " + directory + ": " + DiskFailure.text(e));
    }
  }

  /// Names the engine in control groups: 8 hexadecimal digits that depend on the directory only, so
  /// that the next engine finds what this one leaves behind.
  String engineId() {
    try {
      byte[] path = directory.toRealPath().toString().getBytes(UTF_8);
      byte[] hash = Digests.sha256().digest(path);
      return HexFormat.of().formatHex(hash, 0, 4);
    } catch (IOException e) {
      throw new ConfigException("lock of " + directory + ": " + e.getMessage());
    }
  }

  @Override
  public void close() {
    try {
      lock.close();
    } catch (IOException e) {
      throw new ConfigException("lock of " + directory + ": " + e.getMessage());
    }
  }
}
