package io.easyfaas.funclet.cgroup;

import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/// The control groups of one engine: a group of its own with one group below it per slot, in every
/// hierarchy that is needed. Thread-safe for different slots; one slot is changed by one thread at
/// a time. Every method throws {@link CgroupException} when the kernel refuses.
public interface Cgroups {
  /// The engine's own groups, one a hierarchy. They exist after {@link #prepare}.
  List<Path> engineGroups();

  /// Makes the engine's groups. Safe to call twice.
  void prepare();

  /// Makes a slot's groups, with limits. Safe to call twice.
  SlotGroups create(String slot, CgroupLimits limits);

  /// Changes a slot's limits; writes only what is different from before. A memory limit below what
  /// is used now fails or takes long: the kernel has to reclaim first.
  void limit(String slot, CgroupLimits limits);

  /// What a slot uses now.
  CgroupStats stats(String slot);

  /// How many processes of the slot the kernel has killed at its memory limit so far.
  long oomKills(String slot);

  /// Pauses every process of the sandbox. Waits at most 1 s until all are paused.
  ///
  /// Of the launcher's commands `destroy`, `close`, `rest` and `mount` work on a paused sandbox,
  /// the others wait for its end. A sandbox that is made while its slot is paused does not get
  /// ready: {@link #thaw} first. Where there is no version 2, the keeper is paused too and no
  /// command is answered.
  void freeze(String slot);

  /// Ends the pause. Safe to call when there is none. One write, no wait.
  void thaw(String slot);

  /// Takes away what would hold up the death of the slot's processes: a pause, a cpu limit, a small
  /// weight. A crowd of them may have no more children and gets some memory: a fork bomb dies in as
  /// much processor time as it has processes, with a slot's usual share of a busy machine that
  /// takes many seconds, and at its memory limit every step of everybody in it, the keeper's too,
  /// is a search for somebody to kill. {@link #limit} ends it.
  void expedite(String slot);

  /// Kills what is left in the slot's groups and removes them. Safe to call twice. At most 15 s.
  void remove(String slot);

  /// Removes the engine's groups, with everything in them. Safe to call twice. At most 15 s.
  void removeAll();

  /// Bytes the group the engine was started in may use; empty when there is no limit.
  OptionalLong memoryLimit();

  /// Cores the group the engine was started in may use; empty when there is no limit.
  OptionalDouble cpuLimit();
}
