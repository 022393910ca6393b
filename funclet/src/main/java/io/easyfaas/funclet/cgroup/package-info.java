/// Limits, counts and freezes what runs in a sandbox, by control groups of version 1 or 2.
///
/// The only package that writes under `/sys/fs/cgroup`, and only in groups named `easyfaas-<engine
/// id>` below the group the engine was started in. Never moves a sandbox's process: the launcher's
/// keeper puts itself into a slot's groups once, and every process of the slot is born there. State
/// lives in the kernel alone.
@NullMarked
package io.easyfaas.funclet.cgroup;

import org.jspecify.annotations.NullMarked;
