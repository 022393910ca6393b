package io.easyfaas.common.budget;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/// Who answers for some bytes of a {@link ByteBudget}, until it is closed. Thread-safe.
public final class Reservation implements AutoCloseable {
  private final ByteBudget budget;
  private final ByteKind kind;
  private final String account;

  // Guarded by the budget's lock.
  private long bytes;
  private boolean waiting;
  private boolean closed;

  Reservation(ByteBudget budget, ByteKind kind, String account) {
    this.budget = budget;
    this.kind = kind;
    this.account = account;
  }

  /// Reserves more, if there is room now and nobody of the account waits for it.
  ///
  /// @param more bytes, at least 0
  /// @return whether they are reserved; if not, nothing has changed
  public boolean grow(long more) {
    return more == 0 || budget.tryTake(this, positive(more));
  }

  /// Waits for room, after all of its account who wait already. One at a time.
  ///
  /// @param more bytes, more than 0
  /// @param executor where `granted` runs once the bytes are reserved; never when this is closed
  ///   before
  public void whenAvailable(long more, Executor executor, Runnable granted) {
    budget.await(new ByteBudget.Waiter(this, positive(more), executor, granted));
  }

  /// Waits for room, on the caller's thread: for virtual threads.
  ///
  /// @param more bytes, at least 0
  /// @return whether they are reserved; if not, the reservation is closed and counts as refused
  /// @throws InterruptedException when the thread is; the reservation is closed then
  public boolean growWithin(long more, Duration patience) throws InterruptedException {
    if (grow(more)) {
      return true;
    }
    CountDownLatch granted = new CountDownLatch(1);
    whenAvailable(more, Runnable::run, granted::countDown);
    try {
      if (granted.await(patience.toNanos(), TimeUnit.NANOSECONDS)) {
        return true;
      }
    } catch (InterruptedException e) {
      close();
      throw e;
    }
    refuse();
    return false;
  }

  /// Counts bytes that are there already, whether there is room or not: others then wait for it.
  ///
  /// @param more bytes, at least 0
  public void add(long more) {
    if (more > 0) {
      budget.take(this, more);
    }
  }

  /// Gives bytes back; never more than there are.
  ///
  /// @param less bytes, at least 0
  public void shrink(long less) {
    if (less > 0) {
      budget.giveBack(this, less);
    }
  }

  /// What a refusal says about the room there was: which limit, and how it stands.
  public String shortage(long more) {
    return budget.shortage(this, more);
  }

  /// Closes it for lack of room, which is counted.
  public void refuse() {
    budget.close(this, true);
  }

  /// Gives everything back and waits for nothing more. Safe to call twice.
  @Override
  public void close() {
    budget.close(this, false);
  }

  /// The most anybody can reserve.
  public long most() {
    return budget.total();
  }

  /// One like it that answers for nothing yet.
  public Reservation nothing() {
    return budget.open(kind, account);
  }

  /// The bytes it answers for.
  public long bytes() {
    return budget.bytes(this);
  }

  ByteKind kind() {
    return kind;
  }

  String account() {
    return account;
  }

  long count() {
    return bytes;
  }

  void count(long now) {
    bytes = now;
  }

  boolean isWaiting() {
    return waiting;
  }

  void setWaiting(boolean now) {
    waiting = now;
  }

  boolean isClosed() {
    return closed;
  }

  void markClosed() {
    closed = true;
  }

  private static long positive(long more) {
    if (more <= 0) {
      throw new IllegalArgumentException("bytes: " + more + " (expected: > 0)");
    }
    return more;
  }
}
