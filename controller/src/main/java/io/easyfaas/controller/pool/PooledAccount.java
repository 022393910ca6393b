package io.easyfaas.controller.pool;

import java.util.Collection;
import java.util.Collections;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// One account as the pool knows it, as long as it has a function there: what its functions hold,
/// and which of them have calls that wait. Not thread-safe; owned by {@link SlotPool} and guarded
/// by its lock.
///
/// What it holds is written by {@link Slots} as slots move, and by nobody else.
final class PooledAccount {
  final String id;
  // Every function of it with a line, by its first call.
  private final TreeMap<Long, PooledFunction> byFirstCall = new TreeMap<>();
  private int functions;
  private int slots;
  private long memory;

  PooledAccount(String id) {
    this.id = id;
  }

  /// It has one function more in the pool, or one fewer. Called by {@link PooledFunctions} only.
  ///
  /// @return whether it has any now
  boolean functions(int change) {
    functions += change;
    return functions > 0;
  }

  /// Its functions hold so much more, or less. Called by {@link Slots} only.
  ///
  /// @param slotsMore slots that are warmed up for one of them or serve it, to its last call
  /// @param memoryMore bytes of these
  void hold(int slotsMore, long memoryMore) {
    slots += slotsMore;
    memory += memoryMore;
  }

  /// Slots that are warmed up for its functions or serve them, to the last call of one that drains.
  int slots() {
    return slots;
  }

  /// Bytes of these slots.
  long memory() {
    return memory;
  }

  /// A function's line has another first call, its only one or not.
  void waits(PooledFunction function) {
    byFirstCall.put(function.line.first().order, function);
  }

  /// The call that was first in its function's line is so no more.
  void waitsNoMore(long order) {
    byFirstCall.remove(order);
  }

  boolean isWaiting() {
    return !byFirstCall.isEmpty();
  }

  /// When the call came that has waited longest, by the pool's clock. One waits.
  long firstArrived() {
    return byFirstCall.firstEntry().getValue().line.first().arrived;
  }

  /// The function with the newest of its calls that no slot on its way will take; null when there
  /// is none. Looks at all of its functions that wait.
  @Nullable PooledFunction newest() {
    PooledFunction newest = null;
    for (PooledFunction function : byFirstCall.values()) {
      if (function.line.size() > function.coming()
          && (newest == null || function.line.last().order > newest.line.last().order)) {
        newest = function;
      }
    }
    return newest;
  }

  /// Its functions whose calls wait, the one whose first call came first at the front. Not a copy.
  Collection<PooledFunction> inOrder() {
    return Collections.unmodifiableCollection(byFirstCall.values());
  }
}
