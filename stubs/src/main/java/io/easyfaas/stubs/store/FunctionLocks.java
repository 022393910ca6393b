package io.easyfaas.stubs.store;

import io.easyfaas.common.wire.ErrorCode;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

/// One lock a function, so that the changes of one function happen one after the other and those of
/// different functions side by side. A fixed number of locks is shared out by name: two functions
/// may meet, which costs time and nothing else. Reentrant. Thread-safe.
///
/// Nobody takes a second function's lock while holding one.
final class FunctionLocks {
  private static final int COUNT = 256;

  // Writing 50 MiB to a slow disk takes seconds; nothing under the lock takes longer than that.
  private static final Duration WAIT = Duration.ofSeconds(30);

  private final ReentrantLock[] locks =
      Stream.generate(ReentrantLock::new).limit(COUNT).toArray(ReentrantLock[]::new);

  /// Waits for a function's lock, at most 30 s; closing the result lets go.
  ///
  /// @param function the BRN without a version
  /// @throws StoreException when it is not free in time, or the thread is interrupted
  Held lock(String function) {
    ReentrantLock lock = locks[Math.floorMod(function.hashCode(), COUNT)];
    try {
      if (lock.tryLock(WAIT.toNanos(), TimeUnit.NANOSECONDS)) {
        return new Held(lock);
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
    throw new StoreException(
        ErrorCode.UNAVAILABLE, function + " is being changed by another request", null);
  }

  /// A lock that is held until it is closed, by the thread that took it.
  static final class Held implements AutoCloseable {
    private final ReentrantLock lock;

    private Held(ReentrantLock lock) {
      this.lock = lock;
    }

    @Override
    public void close() {
      lock.unlock();
    }
  }
}
