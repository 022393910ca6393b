package io.easyfaas.controller.pool;

import java.util.IdentityHashMap;

/// What accounts and functions hold of the slots and of the memory, with what one choice of {@link
/// Placement} has given them and taken from them so far. Not thread-safe.
final class Holdings {
  private record Change(int slots, long memory) {}

  private static final Change NONE = new Change(0, 0);

  private final Slots slots;
  private final IdentityHashMap<PooledAccount, Change> accounts = new IdentityHashMap<>();
  private final IdentityHashMap<PooledFunction, Integer> functions = new IdentityHashMap<>();

  Holdings(Slots slots) {
    this.slots = slots;
  }

  /// A slot was given to the function, or what becomes one is kept for it. Its account has that
  /// from now on; the function only when it is there, so that calls that come together may have the
  /// slots of several others.
  void give(PooledFunction function) {
    add(function.account, 1, function.function.memory().bytes());
  }

  /// An idle slot is taken from the function.
  ///
  /// @param memory bytes it has
  void take(PooledFunction function, long memory) {
    functions.merge(function, -1, Integer::sum);
    add(function.account, -1, -memory);
  }

  /// A busy slot is taken from the function; its account has it until its calls have ended.
  void drain(PooledFunction function) {
    functions.merge(function, -1, Integer::sum);
  }

  private void add(PooledAccount account, int slotsMore, long memoryMore) {
    Change change = accounts.getOrDefault(account, NONE);
    accounts.put(account, new Change(change.slots + slotsMore, change.memory + memoryMore));
  }

  /// The dominant share that the function's account would have with a slot more for it: of the
  /// slots or of the memory, whichever is more.
  double shareWith(PooledFunction function) {
    return share(function.account, 1, function.function.memory().bytes());
  }

  /// Whether a function may have a slot that is in use taken from another one: within an account
  /// from one that has more slots; from another account when that has no less than the asking one
  /// would have then, or the asking one has nothing.
  boolean mayPushAside(PooledFunction asking, PooledFunction other) {
    return asking.account == other.account
        ? slotsOf(asking) < slotsOf(other)
        : slotsOf(asking.account) == 0 || share(other.account) >= shareWith(asking);
  }

  /// The share of the account that has most.
  double largestShare() {
    return slots.accounts().stream().mapToDouble(this::share).max().orElse(0);
  }

  /// The part of the slots or of the memory, whichever is more, that an account has.
  double share(PooledAccount account) {
    return share(account, 0, 0);
  }

  int slotsOf(PooledFunction function) {
    return function.slots() + functions.getOrDefault(function, 0);
  }

  int slotsOf(PooledAccount account) {
    return account.slots() + accounts.getOrDefault(account, NONE).slots;
  }

  private double share(PooledAccount account, int slotsMore, long memoryMore) {
    long memory = account.memory() + memoryMore + accounts.getOrDefault(account, NONE).memory;
    return Math.max(
        (double) (slotsOf(account) + slotsMore) / slots.size(),
        (double) memory / Math.max(1, slots.allocatable().bytes()));
  }
}
