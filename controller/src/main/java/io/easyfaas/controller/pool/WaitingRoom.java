package io.easyfaas.controller.pool;

import io.easyfaas.common.config.ByteSize;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// How many calls wait, and what they keep in memory meanwhile: for a slot, or before that for the
/// registry's word on their function. Thread-safe, without a lock.
///
/// One account may fill the room while nobody else wants it. When it is full, a call may enter all
/// the same whose account has less than its share, the room divided by the accounts that are in it;
/// {@link CallQueue} has another one make way then.
public final class WaitingRoom {
  // Where no call may wait for a slot, a question to the registry must still be possible.
  private static final int LEAST_LOOK_UPS = 64;

  private record Stay(int calls, long bytes) {
    private static final Stay NONE = new Stay(0, 0);
  }

  private final int maxCalls;
  private final long maxBytes;
  private final AtomicInteger calls = new AtomicInteger();
  private final AtomicLong bytes = new AtomicLong();
  // What the accounts have in it; only those that have anything.
  private final ConcurrentHashMap<String, Stay> accounts = new ConcurrentHashMap<>();

  /// Creates an empty room.
  public WaitingRoom(int maxCalls, long maxBytes) {
    this.maxCalls = maxCalls;
    this.maxBytes = maxBytes;
  }

  /// A call waits for the registry from now on, until it leaves.
  ///
  /// @param account whose function it calls
  /// @param weight bytes it keeps in memory
  /// @return null; or, when it may not wait, the limit that is reached, for people
  public @Nullable String enter(String account, int weight) {
    int places = maxCalls > 0 ? maxCalls : LEAST_LOOK_UPS;
    if (calls.get() >= places && stay(account).calls >= places / with(account)) {
      return full();
    }
    return enterUncounted(account, weight);
  }

  /// The same, whatever their number is: the caller looks at that.
  @Nullable String enterUncounted(String account, int weight) {
    long before = bytes.get();
    if (before + weight > maxBytes && stay(account).bytes + weight > maxBytes / with(account)) {
      return "calls with "
          + before
          + " bytes wait already; --max-queue-bytes is "
          + new ByteSize(maxBytes);
    }
    calls.getAndIncrement();
    bytes.getAndAdd(weight);
    accounts.merge(
        account,
        new Stay(1, weight),
        (has, more) -> new Stay(has.calls + more.calls, has.bytes + more.bytes));
    return null;
  }

  /// A call that waited does not any more.
  ///
  /// @param account what it entered with
  /// @param weight what it entered with
  public void leave(String account, int weight) {
    bytes.addAndGet(-weight);
    calls.decrementAndGet();
    accounts.computeIfPresent(
        account, (_, has) -> has.calls == 1 ? null : new Stay(has.calls - 1, has.bytes - weight));
  }

  /// Whether more wait than may, or keep more than they may, apart from those that a slot is being
  /// made for.
  ///
  /// @param served calls that slots which are on their way will take
  boolean isOverfull(int served) {
    int others = calls.get() - served;
    return others > maxCalls || (others > 0 && bytes.get() > maxBytes);
  }

  /// Whether one more would be too many, apart from those that a slot is being made for.
  boolean isFull(int served) {
    return calls.get() - served >= maxCalls;
  }

  /// Whether it is full, and an account has its share already.
  boolean isFull(String account, int served) {
    return isFull(served) && stay(account).calls >= maxCalls / with(account);
  }

  /// Whether nobody has more than a share of it that others could have instead.
  ///
  /// @param parties accounts that may want one, those in it included
  boolean isShared(int parties) {
    int share = maxCalls / Math.max(1, parties);
    return accounts.values().stream().noneMatch(stay -> stay.calls > share);
  }

  /// How much of it an account has, of the places or of the bytes, whichever is more.
  double share(String account) {
    Stay stay = stay(account);
    return Math.max(
        (double) stay.calls / Math.max(1, maxCalls), (double) stay.bytes / Math.max(1, maxBytes));
  }

  /// That too many wait, for people.
  String full() {
    return calls.get()
        + " calls wait already; --max-queue lets "
        + maxCalls
        + " wait besides those that a slot is being made for";
  }

  /// How many wait now.
  public int calls() {
    return calls.get();
  }

  private Stay stay(String account) {
    return accounts.getOrDefault(account, Stay.NONE);
  }

  /// Accounts in it, with this one.
  private int with(String account) {
    return accounts.size() + (accounts.containsKey(account) ? 0 : 1);
  }
}
