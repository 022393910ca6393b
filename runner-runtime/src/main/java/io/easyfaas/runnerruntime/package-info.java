/// Lays out what sandboxes need on disk: a root file system and language runtimes with their
/// runners. Runs and ends.
///
/// The result is plain files below the data directory: `rootfs/`, `rootfs.json` and
/// `runtimes/<name>/`. Running it again brings them up to date; it keeps no other state and starts
/// nothing but the interpreters it asks for their version.
@NullMarked
package io.easyfaas.runnerruntime;

import org.jspecify.annotations.NullMarked;
