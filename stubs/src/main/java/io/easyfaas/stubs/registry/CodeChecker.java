package io.easyfaas.stubs.registry;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.PriorityBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.ToLongFunction;

/// Checks packages, one after the other, on a thread of the system's. To unpack a package keeps a
/// processor busy for seconds, and virtual threads that do so keep all others from running.
/// Thread-safe.
///
/// **Turns.** A package is due later the more it unpacks to, a second for every 4 MiB, and the
/// packages of one account are due one after the other; what is due first is checked first. So a
/// small package waits for the one that is being checked and for few others, however many large
/// ones are there, and a large one is overtaken for two minutes at most.
///
/// How many wait is for the caller to bound, see {@link UploadRoom}.
final class CodeChecker {
  private static final int IDLE_SECONDS = 10;
  // Far slower than a package is checked: those that wait are not due before a smaller one comes.
  private static final long DUE_BYTES_PER_SECOND = 4L << 20;

  private final ToLongFunction<Path> unpackedBytes;
  private final Consumer<Path> check;
  private final LongSupplier nanoTime;
  private final ThreadPoolExecutor thread;

  // When the last package is due of each account that has one waiting.
  @GuardedBy("this")
  private final Map<String, Long> lastDue = new HashMap<>();

  CodeChecker() {
    this(CodePackage::unpackedBytes, CodePackage::check, System::nanoTime);
  }

  /// @param unpackedBytes what a package claims to unpack to; throws what is wrong with it
  /// @param check throws what is wrong with a package
  CodeChecker(ToLongFunction<Path> unpackedBytes, Consumer<Path> check, LongSupplier nanoTime) {
    this.unpackedBytes = unpackedBytes;
    this.check = check;
    this.nanoTime = nanoTime;
    this.thread =
        new ThreadPoolExecutor(
            1,
            1,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new PriorityBlockingQueue<>(),
            Thread.ofPlatform().name("code-check").daemon().factory());
    thread.allowCoreThreadTimeOut(true); // Nobody has to end it.
  }

  /// Waits until a package is checked, and throws what the check throws.
  ///
  /// @param account whose it is
  /// @throws IllegalStateException when the caller is interrupted; the check ends soon then
  void check(String account, Path file) {
    long due = due(account, file);
    try {
      await(new Turn(due, () -> check.accept(file)), file);
    } finally {
      forget(account, due);
    }
  }

  /// How many wait for their turn.
  int waiting() {
    return thread.getQueue().size();
  }

  /// One directory is read at a time: it may take megabytes of the heap.
  private synchronized long due(String account, Path file) {
    long now = nanoTime.getAsLong();
    long bytes = unpackedBytes.applyAsLong(file);
    long after = Math.max(0, lastDue.getOrDefault(account, now) - now);
    long due = now + after + TimeUnit.SECONDS.toNanos(bytes) / DUE_BYTES_PER_SECOND;
    lastDue.put(account, due);
    return due;
  }

  private synchronized void forget(String account, long due) {
    lastDue.remove(account, due);
  }

  private void await(Turn turn, Path file) {
    thread.execute(turn);
    try {
      turn.get();
    } catch (InterruptedException e) {
      turn.cancel(true);
      thread.remove(turn);
      Thread.currentThread().interrupt();
      throw new IllegalStateException("check " + file + ": interrupted", e);
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case RuntimeException failure -> throw failure;
        case Error failure -> throw failure;
        case null, default -> throw new IllegalStateException("check " + file, e);
      }
    }
  }

  /// Work that is due at a time, by the clock.
  private static final class Turn extends FutureTask<Void> implements Comparable<Turn> {
    private final long due;

    Turn(long due, Runnable work) {
      super(work, null);
      this.due = due;
    }

    @Override
    public int compareTo(Turn other) {
      return Long.signum(due - other.due);
    }
  }
}
