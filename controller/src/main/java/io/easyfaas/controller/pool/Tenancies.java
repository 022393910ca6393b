package io.easyfaas.controller.pool;

import io.easyfaas.controller.registry.FunctionKey;
import io.easyfaas.controller.registry.ResolvedFunction;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// The functions that have slots, calls or waiters, each with its {@link Tenancy}. Not thread-safe;
/// owned by {@link SlotPool} and guarded by its lock.
///
/// A call finds its tenancy by the function object itself, which needs no hash of the key's three
/// strings. A function that was resolved again, or by another name, is another object: its key
/// finds the tenancy, and from then on the new object does.
final class Tenancies {
  private final LongSupplier nanoTime;
  private final Map<FunctionKey, Tenancy> byKey = new HashMap<>();
  // Each tenancy once, by the function it has now.
  private final IdentityHashMap<ResolvedFunction, Tenancy> byFunction = new IdentityHashMap<>();

  /// @param nanoTime the pool's clock; only read for a new tenancy
  Tenancies(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
  }

  /// The function's tenancy; a new one when it has none. It has this very function afterwards.
  Tenancy of(ResolvedFunction function) {
    Tenancy known = byFunction.get(function);
    if (known != null) {
      return known;
    }
    Tenancy tenancy = byKey.get(function.key());
    if (tenancy == null) {
      tenancy = new Tenancy(function, nanoTime.getAsLong());
      byKey.put(function.key(), tenancy);
    } else {
      byFunction.remove(tenancy.function);
      tenancy.function = function; // Its limits may have changed without a new revision.
    }
    byFunction.put(function, tenancy);
    return tenancy;
  }

  /// The tenancy of a function that has a slot.
  ///
  /// @throws IllegalStateException when it has none
  Tenancy get(ResolvedFunction function) {
    Tenancy tenancy = byKey.get(function.key());
    if (tenancy == null) {
      throw new IllegalStateException(function.key() + " has no slot");
    }
    return tenancy;
  }

  /// The tenancy of the function's revision, if it has one.
  @Nullable Tenancy find(ResolvedFunction function) {
    return byKey.get(function.key());
  }

  /// Forgets a tenancy that has nothing any more.
  void forgetUnused(Tenancy tenancy) {
    if (tenancy.isUnused() && byKey.remove(tenancy.function.key(), tenancy)) {
      byFunction.remove(tenancy.function);
    }
  }

  /// All of them, in no order. Not a copy.
  Collection<Tenancy> all() {
    return Collections.unmodifiableCollection(byKey.values());
  }
}
