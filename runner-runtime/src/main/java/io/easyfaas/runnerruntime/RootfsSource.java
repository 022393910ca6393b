package io.easyfaas.runnerruntime;

import static java.util.Objects.requireNonNull;

import java.nio.file.Path;

/// Where the sandboxes' root file system comes from.
public sealed interface RootfsSource {
  /// As the last time; the first time, {@link HostUsr}.
  record Unchanged() implements RootfsSource {}

  /// A source that says by itself what it is.
  sealed interface Known extends RootfsSource {}

  /// The host's own programs: `/usr` is bound into every sandbox, read-only, and the root has
  /// little more than the directories and the `/etc` that programs expect.
  record HostUsr() implements Known {}

  /// A directory tree of its own, such as an unpacked image or the result of debootstrap. Its files
  /// are linked into the data directory where both are on one file system, else copied. Its
  /// interpreters are run as `nobody`, in a chroot, to ask for their version: that needs root.
  ///
  /// @param directory the tree's root; not changed, and not needed any more afterwards
  record Tree(Path directory) implements Known {
    /// Makes the path absolute.
    public Tree {
      directory = requireNonNull(directory, "directory").toAbsolutePath().normalize();
    }
  }
}
