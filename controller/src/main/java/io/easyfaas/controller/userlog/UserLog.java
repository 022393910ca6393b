package io.easyfaas.controller.userlog;

import io.easyfaas.common.budget.MemoryPlan;
import io.easyfaas.controller.registry.ResolvedFunction;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Writes what functions printed to files, off the event loop. Thread-safe.
///
/// One thread writes. What waits for it is bounded by number and by bytes, see {@link MemoryPlan};
/// when it cannot keep up, whole entries are dropped and counted: a slow disk must not slow calls
/// down. What is on the disk is bounded too, see {@link UserLogLimits}.
public final class UserLog implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(UserLog.class);
  private static final int MAX_WAITING_ENTRIES = 4096;
  private static final Duration CLOSE_WAIT = Duration.ofSeconds(5);
  private static final Duration POLL = Duration.ofMillis(200);

  /// Writes one entry to its file.
  @FunctionalInterface
  interface EntryWriter {
    void write(UserLogEntry entry) throws IOException;
  }

  private final EntryWriter out;
  private final long maxWaitingBytes = MemoryPlan.ofThisProcess().logs().bytes();
  private final ArrayBlockingQueue<UserLogEntry> queue =
      new ArrayBlockingQueue<>(MAX_WAITING_ENTRIES);
  private final Set<LooseOutput> loose = ConcurrentHashMap.newKeySet();
  private final AtomicLong waitingBytes = new AtomicLong();
  private final LongAdder dropped = new LongAdder();
  private final Thread writer;
  private volatile boolean closed;
  private boolean failing;

  /// Starts the writer.
  ///
  /// @param root directory of the files; made when the first entry is written
  public UserLog(Path root, UserLogFormat format, UserLogLimits limits) {
    this(toFiles(root, format, limits));
  }

  /// @param out used by the writer's thread alone
  UserLog(EntryWriter out) {
    this.out = out;
    this.writer = Thread.ofPlatform().name("userlog").daemon().start(this::writeAll);
  }

  private static EntryWriter toFiles(Path root, UserLogFormat format, UserLogLimits limits) {
    LogFiles files = new LogFiles(root, limits);
    return entry ->
        files.append(
            LogFiles.directoryName(entry.function()),
            file -> new LineWriter(entry, format, limits.call().bytes(), file).write());
  }

  /// Has output written some time later. Never blocks.
  ///
  /// @param entry of a function that keeps a user log; nobody changes it any more
  /// @return false when it was dropped
  public boolean offer(UserLogEntry entry) {
    long size = entry.transcript().memoryBytes();
    boolean isRoom = waitingBytes.addAndGet(size) <= maxWaitingBytes;
    if (!closed && isRoom && queue.offer(entry)) {
      return true;
    }
    waitingBytes.addAndGet(-size);
    dropped.increment();
    return false;
  }

  /// Opens the log of a function in one container, for what belongs to no call; the end of it
  /// closes it. What a function prints that keeps no user log is not kept.
  public LooseOutput open(ResolvedFunction function, String runtimeId) {
    LooseOutput opened = new LooseOutput(function, runtimeId, this::end);
    if (function.keepsUserLog()) {
      loose.add(opened);
    }
    return opened;
  }

  private void end(LooseOutput ended) {
    FunctionOutput rest = loose.remove(ended) ? ended.takeAll() : null;
    if (rest != null) {
      offer(rest);
    }
  }

  /// Entries that were dropped because the disk was too slow or failed.
  public long dropped() {
    return dropped.sum();
  }

  /// Writes what waits, at most for 5 s, and stops. Safe to call twice.
  @Override
  public void close() {
    closed = true;
    try {
      if (!writer.join(CLOSE_WAIT)) {
        LOG.warn("userlog: {} entries were not written in {}", queue.size(), CLOSE_WAIT);
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private void writeAll() {
    long emptied = System.nanoTime();
    try {
      while (true) {
        UserLogEntry next = queue.poll(POLL.toMillis(), TimeUnit.MILLISECONDS);
        if (next != null) {
          waitingBytes.addAndGet(-next.transcript().memoryBytes());
          writeOne(() -> next);
        } else if (closed) {
          writeLoose(LooseOutput::takeAll);
          return;
        }
        if (System.nanoTime() - emptied >= POLL.toNanos()) {
          emptied = System.nanoTime();
          writeLoose(output -> output.take(System.currentTimeMillis()));
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private void writeLoose(Function<LooseOutput, @Nullable FunctionOutput> take) {
    for (LooseOutput output : loose) {
      writeOne(() -> take.apply(output));
    }
  }

  private void writeOne(Supplier<? extends @Nullable UserLogEntry> taken) {
    try {
      UserLogEntry entry = taken.get();
      if (entry != null) {
        out.write(entry);
        failing = false;
      }
    } catch (IOException | RuntimeException | Error e) { // The entries after it are to be written.
      dropped.increment();
      sayOnce(e);
    }
  }

  private void sayOnce(Throwable why) {
    if (failing) {
      return;
    }
    failing = true;
    String message = "userlog: {} (further failures are only counted)";
    if (why instanceof IOException) {
      LOG.warn(message, why.toString());
    } else {
      LOG.error(message, why.toString(), why);
    }
  }
}
