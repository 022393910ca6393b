package io.easyfaas.funclet.mount;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.disk.DiskTree;
import io.easyfaas.common.wire.ContainerId;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/// The files on the host that belong to one slot: its `/etc/hosts`. They live as long as the
/// engine, not as a sandbox.
///
/// @param dataDirectory the engine's
public record SlotFiles(Path dataDirectory) {
  /// The file a slot's sandbox sees as `/etc/hosts`.
  public Path hosts(ContainerId id) {
    return dataDirectory.resolve("slots").resolve(id.value()).resolve("hosts");
  }

  /// Makes a slot's files.
  ///
  /// @throws UncheckedIOException when the disk is full or read-only
  public void make(SandboxLayout layout) {
    try {
      Path parent = layout.hosts().getParent();
      if (parent != null) {
        Files.createDirectories(parent);
      }
      Files.writeString(layout.hosts(), layout.hostsText(), UTF_8);
      Files.setPosixFilePermissions(layout.hosts(), PosixFilePermissions.fromString("rw-r--r--"));
    } catch (IOException e) {
      throw new UncheckedIOException("write " + layout.hosts() + ": " + e.getMessage(), e);
    }
  }

  /// Removes the files of every slot, of this engine or an earlier one. Safe when there are none.
  ///
  /// @throws UncheckedIOException when something cannot be removed
  public void removeAll() {
    try {
      DiskTree.delete(dataDirectory.resolve("slots"));
    } catch (IOException e) {
      throw new UncheckedIOException("remove the slots' files: " + e.getMessage(), e);
    }
  }
}
