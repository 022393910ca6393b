package io.easyfaas.common.http;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.HashMap;
import java.util.Map;

/// The seats of those who are served although all connections there may be are at work. An account
/// may have as many as are free, so whoever takes much leaves as much: however many of its calls
/// last, the next account finds a seat, and so do some more (dynamic thresholds, Choudhury and
/// Hahne 1998). Which account it is the client says: one with many names may take all. Thread-safe.
final class GuestSeats {
  private final Object lock = new Object();

  @GuardedBy("lock")
  private final Map<String, Integer> taken = new HashMap<>();

  @GuardedBy("lock")
  private int free;

  GuestSeats(int seats) {
    free = seats;
  }

  /// Takes a seat, if the account has fewer than are free.
  ///
  /// @return whether it has; then it is to be given back by {@link #leave}
  boolean take(String account) {
    synchronized (lock) {
      if (taken.getOrDefault(account, 0) >= free) {
        return false;
      }
      taken.merge(account, 1, Integer::sum);
      free--;
      return true;
    }
  }

  void leave(String account) {
    synchronized (lock) {
      taken.computeIfPresent(account, (_, seats) -> seats == 1 ? null : seats - 1);
      free++;
    }
  }
}
