package io.easyfaas.common.budget;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/// The account of one engine. Thread-safe; every operation is a few steps under one lock, which is
/// never held while anything else is called. Small requests do without it: what is not reserved is
/// bounded per connection by who reads it.
///
/// **Fair share.** A tenant gets bytes as long as it has no more, these included, than are free. So
/// one alone gets half of all; when it does, the next one gets half of the rest, and so on: there
/// is always something left for who comes new, and nobody needs to know how many there are (dynamic
/// thresholds: Choudhury and Hahne, IEEE/ACM Transactions on Networking 6(2), 1998). A reservation
/// that is the only one may take all.
///
/// **Waiting.** Each tenant's reservations wait in the order they came; tenants take turns. What is
/// released goes to the first that fits, and its room is taken before it is told.
public final class ByteBudget {
  /// One who waits.
  record Waiter(Reservation reservation, long bytes, Executor executor, Runnable granted) {}

  /// What one tenant has. Only while it has something, or waits for it.
  static final class Share {
    private final String account;
    private final ArrayDeque<Waiter> waiting = new ArrayDeque<>();
    private long bytes;
    private boolean isHungry;

    private Share(String account) {
      this.account = account;
    }
  }

  private static final class KindCount {
    private long bytes;
    private int waiting;
    private long refused;
  }

  // Of a release: so many tenants are looked at in vain before the next release has to go on.
  private static final int MAX_LOOKS = 8;

  /// So much each connection, call or answer may have without a reservation: there are bounded
  /// numbers of them, and most need no more.
  public static final int FREE_BYTES = 8 * 1024;

  private final long total;
  private final Object lock = new Object();

  @GuardedBy("lock")
  private final Map<String, Share> shares = new HashMap<>();

  /// Tenants of whom one waits, the next in turn first.
  @GuardedBy("lock")
  private final ArrayDeque<Share> hungry = new ArrayDeque<>();

  @GuardedBy("lock")
  private final EnumMap<ByteKind, KindCount> kinds = new EnumMap<>(ByteKind.class);

  @GuardedBy("lock")
  private long reserved;

  /// An account in which nothing is reserved.
  ///
  /// @param total bytes that may be reserved, more than 0
  public ByteBudget(long total) {
    if (total <= 0) {
      throw new IllegalArgumentException("total: " + total + " (expected: > 0)");
    }
    this.total = total;
    for (ByteKind kind : ByteKind.values()) {
      kinds.put(kind, new KindCount());
    }
  }

  /// An owner of bytes that has none yet.
  ///
  /// @param account the tenant, as far as it is known; empty for all others together
  public Reservation open(ByteKind kind, String account) {
    return new Reservation(this, kind, account);
  }

  /// What may be reserved in all.
  public long total() {
    return total;
  }

  /// Whether somebody waits for room.
  public boolean isShort() {
    synchronized (lock) {
      return !hungry.isEmpty();
    }
  }

  /// How the account stands.
  public BudgetUsage usage() {
    synchronized (lock) {
      EnumMap<ByteKind, BudgetUsage.Part> parts = new EnumMap<>(ByteKind.class);
      kinds.forEach((kind, count) ->
          parts.put(kind, new BudgetUsage.Part(count.bytes, count.waiting, count.refused)));
      return new BudgetUsage(total, reserved, parts);
    }
  }

  boolean tryTake(Reservation owner, long bytes) {
    synchronized (lock) {
      if (owner.isClosed()) {
        return false;
      }
      Share share = share(owner);
      if (firstWaiter(share) != null || !fits(owner, share, bytes)) {
        forgetIfEmpty(share);
        return false;
      }
      add(owner, share, bytes);
      return true;
    }
  }

  void take(Reservation owner, long bytes) {
    synchronized (lock) {
      if (!owner.isClosed()) {
        add(owner, share(owner), bytes);
      }
    }
  }

  void giveBack(Reservation owner, long bytes) {
    List<Waiter> granted;
    synchronized (lock) {
      long given = Math.min(bytes, owner.count());
      if (given > 0) {
        Share share = share(owner);
        add(owner, share, -given);
        forgetIfEmpty(share);
      }
      granted = grant();
    }
    tell(granted);
  }

  void close(Reservation owner, boolean isRefused) {
    List<Waiter> granted;
    synchronized (lock) {
      if (owner.isClosed()) {
        return;
      }
      Share share = share(owner);
      owner.markClosed(); // One who waits is taken out of its queue when it is at its head.
      if (owner.isWaiting()) {
        owner.setWaiting(false);
        count(owner).waiting--;
      }
      if (isRefused) {
        count(owner).refused++;
      }
      add(owner, share, -owner.count());
      forgetIfEmpty(share);
      granted = grant();
    }
    tell(granted);
  }

  void await(Waiter waiter) {
    List<Waiter> granted;
    synchronized (lock) {
      if (waiter.reservation().isClosed()) {
        return;
      }
      if (waiter.reservation().isWaiting()) {
        throw new IllegalStateException("the reservation waits already");
      }
      Share share = share(waiter.reservation());
      queue(share);
      share.waiting.addLast(waiter);
      waiter.reservation().setWaiting(true);
      count(waiter.reservation()).waiting++;
      granted = grant();
    }
    tell(granted);
  }

  long bytes(Reservation owner) {
    synchronized (lock) {
      return owner.count();
    }
  }

  String shortage(Reservation owner, long bytes) {
    synchronized (lock) {
      Share share = shares.get(owner.account());
      return "memory for requests and answers: "
          + bytes
          + " bytes more (expected: at most "
          + Math.max(0, total - reserved)
          + " of "
          + total
          + " that are free, of which the account has "
          + (share == null ? 0 : share.bytes)
          + ")";
    }
  }

  @GuardedBy("lock")
  private boolean fits(Reservation owner, Share share, long bytes) {
    boolean isAlone = owner.count() == reserved;
    return (isAlone ? bytes : share.bytes + bytes) <= total - reserved;
  }

  @GuardedBy("lock")
  private List<Waiter> grant() {
    if (hungry.isEmpty()) {
      return List.of();
    }
    List<Waiter> granted = new ArrayList<>();
    for (int refused = 0; refused < MAX_LOOKS && refused < hungry.size(); ) {
      Share share = hungry.removeFirst();
      share.isHungry = false;
      Waiter first = firstWaiter(share);
      if (first == null) {
        forgetIfEmpty(share);
        continue;
      }
      if (fits(first.reservation(), share, first.bytes())) {
        share.waiting.removeFirst();
        first.reservation().setWaiting(false);
        count(first.reservation()).waiting--;
        add(first.reservation(), share, first.bytes());
        granted.add(first);
        refused = 0;
      } else {
        refused++;
      }
      if (!share.waiting.isEmpty()) {
        queue(share);
      }
    }
    return granted;
  }

  @GuardedBy("lock")
  private void queue(Share share) {
    if (!share.isHungry) {
      share.isHungry = true;
      hungry.addLast(share);
    }
  }

  /// The next who waits, without those who gave up before it.
  private static @Nullable Waiter firstWaiter(Share share) {
    while (!share.waiting.isEmpty() && share.waiting.getFirst().reservation().isClosed()) {
      share.waiting.removeFirst();
    }
    return share.waiting.peekFirst();
  }

  private static void tell(List<Waiter> granted) {
    for (Waiter waiter : granted) {
      try {
        waiter.executor().execute(waiter.granted());
      } catch (RejectedExecutionException _) {
        waiter.reservation().close(); // Its loop has ended, and with it whoever waited.
      }
    }
  }

  @GuardedBy("lock")
  private void add(Reservation owner, Share share, long bytes) {
    owner.count(owner.count() + bytes);
    share.bytes += bytes;
    reserved += bytes;
    count(owner).bytes += bytes;
  }

  @GuardedBy("lock")
  private Share share(Reservation owner) {
    return shares.computeIfAbsent(owner.account(), Share::new);
  }

  @GuardedBy("lock")
  private void forgetIfEmpty(Share share) {
    if (share.bytes == 0 && share.waiting.isEmpty() && !share.isHungry) {
      shares.remove(share.account);
    }
  }

  @GuardedBy("lock")
  private KindCount count(Reservation owner) {
    KindCount count = kinds.get(owner.kind());
    if (count == null) {
      throw new IllegalStateException("no kind " + owner.kind());
    }
    return count;
  }
}
