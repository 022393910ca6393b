package io.easyfaas.controller.pool;

import io.easyfaas.controller.registry.FunctionKey;
import io.easyfaas.controller.registry.ResolvedFunction;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The functions that have slots, calls or waiters. Not thread-safe; owned by {@link SlotPool} and
/// guarded by its lock.
///
/// A call finds its function's entry by the function object itself, which needs no hash of the
/// key's three strings. A function that was resolved again, or by another name, is another object:
/// its key finds the entry, and from then on the new object does.
final class PooledFunctions {
  private final PoolClock clock;
  private final Map<FunctionKey, PooledFunction> byKey = new HashMap<>();
  // Each entry once, by the function it has now.
  private final IdentityHashMap<ResolvedFunction, PooledFunction> byFunction =
      new IdentityHashMap<>();

  private final Map<String, PooledAccount> accounts = new HashMap<>();

  /// @param clock only read for a new entry
  PooledFunctions(PoolClock clock) {
    this.clock = clock;
  }

  /// The function's entry; a new one when it has none. It has this very function afterwards.
  PooledFunction of(ResolvedFunction function) {
    PooledFunction known = byFunction.get(function);
    if (known != null) {
      return known;
    }
    PooledFunction entry = byKey.get(function.key());
    if (entry == null) {
      PooledAccount account = accounts.computeIfAbsent(function.uid(), PooledAccount::new);
      account.functions(1);
      entry = new PooledFunction(account, function, clock.nanos());
      byKey.put(function.key(), entry);
    } else {
      byFunction.remove(entry.function);
      entry.function = function; // Its limits may have changed without a new revision.
    }
    byFunction.put(function, entry);
    return entry;
  }

  /// The entry of a function that has a slot.
  ///
  /// @throws IllegalStateException when it has none
  PooledFunction get(ResolvedFunction function) {
    PooledFunction entry = byKey.get(function.key());
    if (entry == null) {
      throw new IllegalStateException(function.key() + " has no slot");
    }
    return entry;
  }

  /// The entry of the function's revision, if it has one.
  @Nullable PooledFunction find(ResolvedFunction function) {
    return byKey.get(function.key());
  }

  /// Forgets an entry that has nothing any more.
  void forgetUnused(PooledFunction entry) {
    if (entry.isUnused() && byKey.remove(entry.function.key(), entry)) {
      byFunction.remove(entry.function);
      if (!entry.account.functions(-1)) {
        accounts.remove(entry.account.id);
      }
    }
  }

  /// The accounts that have one here, in no order. Not a copy.
  Collection<PooledAccount> accounts() {
    return Collections.unmodifiableCollection(accounts.values());
  }

  /// All of them, in no order. Not a copy.
  Collection<PooledFunction> all() {
    return Collections.unmodifiableCollection(byKey.values());
  }
}
