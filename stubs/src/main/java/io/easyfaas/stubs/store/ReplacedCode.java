package io.easyfaas.stubs.store;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.disk.DiskShares;
import io.easyfaas.common.disk.DiskUse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Code that no document names any more, kept a little for who was told of it before and comes for
/// it now: two minutes, at most 64 packages and 64 MiB in all. What is too much goes from the
/// account that has most, what it replaced first before the rest. Thread-safe.
///
/// Only this process knows of it: what is left at its end goes at the next change of its revision.
final class ReplacedCode implements AutoCloseable {
  static final Duration KEPT = Duration.ofMinutes(2); // A call waits and warms up for less.
  static final int MAX_PACKAGES = 64;
  static final long MAX_BYTES = 64L << 20;

  private static final Logger LOG = LoggerFactory.getLogger(ReplacedCode.class);
  private static final DiskUse MOST = new DiskUse(MAX_BYTES, MAX_PACKAGES);

  /// A package that is kept.
  ///
  /// @param revision whose it was
  /// @param until when it may go, by the clock
  record Kept(FunctionBrn revision, Path file, long bytes, long until) {
    private DiskUse use() {
      return new DiskUse(bytes, 1);
    }
  }

  private final Consumer<Kept> remover;
  private final LongSupplier nanoTime;

  @GuardedBy("this")
  private final Deque<Kept> kept = new ArrayDeque<>();

  @GuardedBy("this")
  private boolean closed;

  /// @param remover called without a lock of this; takes the function's, and then asks {@link
  ///   #release} whether the package is to go still
  ReplacedCode(Consumer<Kept> remover, LongSupplier nanoTime) {
    this.remover = remover;
    this.nanoTime = nanoTime;
  }

  /// Keeps a package from now on, unless it is kept already.
  synchronized void keep(FunctionBrn revision, Path file, long size) {
    if (kept.stream().noneMatch(other -> other.file().equals(file))) {
      kept.add(new Kept(revision, file, size, nanoTime.getAsLong() + KEPT.toNanos()));
      notifyAll();
    }
  }

  /// Lets a package go, because it is in use again or about to be removed.
  ///
  /// @return whether it was kept
  synchronized boolean release(Path file) {
    for (Kept each : kept) {
      if (each.file().equals(file)) {
        kept.remove(each);
        return true;
      }
    }
    return false;
  }

  /// What is kept of a function.
  synchronized List<Kept> of(FunctionBrn function) {
    return kept.stream().filter(each -> each.revision().unqualified().equals(function)).toList();
  }

  /// Removes what is kept for too long, or too much. What cannot be removed is named in the log and
  /// goes at the next change of its revision.
  void tidy() {
    for (Kept each : due()) {
      try {
        remover.accept(each);
      } catch (RuntimeException | Error e) {
        LOG.warn("remove {}: {}; the next change tries again", each.file(), e.toString());
        boolean _ = release(each.file());
      }
    }
  }

  /// Has a thread of its own tidy when it is time, until this is closed.
  void tidyByItself() {
    Thread.ofVirtual()
        .name("replaced-code")
        .start(() -> {
          while (awaitDue()) {
            tidy();
          }
        });
  }

  /// Ends the thread. Safe to call twice.
  @Override
  public synchronized void close() {
    closed = true;
    notifyAll();
  }

  private synchronized List<Kept> due() {
    long now = nanoTime.getAsLong();
    List<Kept> due = new ArrayList<>();
    Map<String, Deque<Kept>> rest = new HashMap<>();
    DiskShares uses = new DiskShares();
    for (Kept each : kept) {
      if (each.until() - now <= 0) {
        due.add(each);
      } else {
        rest.computeIfAbsent(each.revision().account(), _ -> new ArrayDeque<>()).add(each);
        uses.add(each.revision().account(), each.use());
      }
    }
    for (List<String> givers = uses.givers(MOST); !givers.isEmpty(); givers = uses.givers(MOST)) {
      String giver = givers.getFirst();
      Kept first = rest.getOrDefault(giver, new ArrayDeque<>()).remove();
      due.add(first);
      uses.remove(giver, first.use());
    }
    return due;
  }

  /// Returns whether something is due; false when there is nothing more to do, ever.
  private synchronized boolean awaitDue() {
    try {
      while (!closed && due().isEmpty()) {
        Kept first = kept.peek();
        if (first == null) {
          wait();
        } else {
          wait(Math.max(1, Duration.ofNanos(first.until() - nanoTime.getAsLong()).toMillis()));
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return false;
    }
    return !closed;
  }
}
