package io.easyfaas.funclet.cgroup;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// What the groups of each slot are set to, so that the kernel is not told again what it knows: a
/// reset changes little of it. Thread-safe for different slots.
final class Settings {
  private final Map<String, Map<String, Long>> slots = new ConcurrentHashMap<>();

  /// Writes a setting, of one file or several, unless it has this value already. After a failure it
  /// is not known what it has, and it is written the next time.
  void set(String slot, String setting, long value, Runnable write) {
    Map<String, Long> known = slots.computeIfAbsent(slot, _ -> new HashMap<>());
    Long before = known.remove(setting);
    if (before == null || before != value) {
      write.run();
    }
    known.put(setting, value);
  }

  /// Forgets a slot, whose groups are gone or of unknown origin.
  void forget(String slot) {
    slots.remove(slot);
  }

  /// Forgets all slots.
  void forgetAll() {
    slots.clear();
  }
}
