package io.easyfaas.funclet.code;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.easyfaas.common.disk.DiskTree;
import io.easyfaas.common.disk.DiskUse;
import io.easyfaas.common.function.FunctionDocument.FunctionCode;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.funclet.mount.SourceDirectories;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Unpacked code archives, by account and by the hash of the archive. Thread-safe.
///
/// **Layout.** See {@link CodeDirectory}. An archive's directory is whole and never changed.
///
/// **Single flight.** However many containers ask for one archive at once, it is fetched and
/// unpacked once; if that fails, all of them are told so.
///
/// **No fsync.** A power failure may leave a renamed directory with empty files. So the cache
/// remembers under which boot of the machine it was filled, and one of an earlier boot is dropped:
/// everything in it can be fetched again.
///
/// **Limits.** Blocks and inodes count. What an archive will take is known before its first file is
/// made, and until then directories nobody holds are deleted, see {@link CodeUses#victim}. A held
/// directory is never deleted, so the cache can exceed its limit by what is in use: at most one
/// archive a slot. What is there is counted at the first unpacking. A large tree takes seconds to
/// delete: whose account's it was waits for it, others do not.
public final class CodeCache {
  private static final Logger LOG = LoggerFactory.getLogger(CodeCache.class);

  /// A larger archive is refused, as by the registry (`max-code-size`).
  public static final long MAX_ARCHIVE_BYTES = 512L << 20;

  // Trees that wait to be deleted, and are in no account; of more, each is waited for.
  private static final int MAX_DOOMED = 16;

  private final CodeDirectory directory;
  private final CodePace pace;
  private final SourceDirectories sources;
  private final CodeUnpacker unpacker;
  private final InstantSource clock;
  private final Map<CodeKey, FutureTask<Void>> flights = new ConcurrentHashMap<>();
  // Never shut down: its threads hold nothing, keep nobody alive, and end after a minute idle.
  private final ExecutorService unpackers =
      Executors.newCachedThreadPool(Thread.ofPlatform().daemon().name("code-", 0).factory());
  private final Executor deleter;
  private final Object lock = new Object();
  private final Object counting = new Object();

  @GuardedBy("lock")
  private final CodeUses uses;

  @GuardedBy("counting")
  private boolean isCounted;

  /// A held directory: it stays until it is closed.
  public static final class Lease implements AutoCloseable {
    private final CodeCache cache;
    private final CodeKey key;
    private final AtomicBoolean isClosed = new AtomicBoolean();

    private Lease(CodeCache cache, CodeKey key) {
      this.cache = cache;
      this.key = key;
    }

    /// The unpacked archive.
    public Path directory() {
      return cache.directory.of(key);
    }

    /// Lets the directory go. Safe to call twice.
    @Override
    public void close() {
      if (isClosed.compareAndSet(false, true)) {
        cache.release(key);
      }
    }
  }

  /// Code that somebody wants to hold, there already or on its way.
  public final class Order {
    private final FunctionCode code;
    private final CodeKey key;
    private final @Nullable Future<Void> flight;

    private Order(FunctionCode code, CodeKey key) {
      this.code = code;
      this.key = key;
      this.flight = directory.has(key) ? null : unpackOnce(code, key);
    }

    /// Holds the unpacked archive. To be called once.
    ///
    /// @param timeout the longest wait
    /// @throws ApiException when the code cannot be had; nothing of it is left behind
    public Lease await(Duration timeout) {
      long deadline = System.nanoTime() + timeout.toNanos();
      Future<Void> ordered = flight;
      while (true) {
        if (ordered != null) {
          land(ordered, key.hash(), Duration.ofNanos(deadline - System.nanoTime()));
        }
        Optional<Lease> lease = hold(key, ordered != null);
        if (lease.isPresent()) {
          return lease.get();
        }
        ordered = unpackOnce(code, key); // It was evicted before it could be held.
      }
    }
  }

  /// Opens the cache. Call {@link #sweep} before anything else.
  ///
  /// @param directory made when it does not exist
  /// @param limit of what is kept
  /// @param pace of code that is downloaded
  /// @param sources where on this machine code may be
  public CodeCache(Path directory, DiskUse limit, CodePace pace, SourceDirectories sources) {
    this(
        directory,
        limit,
        new CodeFetcher(MAX_ARCHIVE_BYTES, pace, sources),
        InstantSource.system(),
        new ThreadPoolExecutor(
            1,
            1,
            0,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(MAX_DOOMED),
            Thread.ofPlatform().daemon().name("code-delete").factory(),
            new ThreadPoolExecutor.CallerRunsPolicy()));
  }

  /// @param deleter runs what need not be waited for, one after the other
  CodeCache(
      Path directory, DiskUse limit, CodeFetcher fetcher, InstantSource clock, Executor deleter) {
    this.deleter = deleter;
    this.directory = new CodeDirectory(directory);
    this.pace = fetcher.pace();
    this.sources = fetcher.sources();
    this.unpacker = new CodeUnpacker(fetcher, limit);
    this.uses = new CodeUses(limit);
    this.clock = clock;
  }

  /// Where on this machine code, and what it runs in, may be.
  public SourceDirectories sources() {
    return sources;
  }

  /// How slowly code may come.
  public CodePace pace() {
    return pace;
  }

  /// Makes the directory, removes what was in progress when the last engine ended, and everything
  /// when the machine was started anew since.
  ///
  /// @param bootId text of `/proc/sys/kernel/random/boot_id`
  public void sweep(String bootId) throws IOException {
    directory.sweep(bootId);
  }

  /// Begins to fetch and unpack an archive that is not there. Does not block.
  ///
  /// @param key of the archive
  public Order order(FunctionCode code, CodeKey key) {
    return new Order(code, key);
  }

  /// @param isFresh whether its directory was made just now
  private Optional<Lease> hold(CodeKey key, boolean isFresh) {
    synchronized (lock) {
      if (!directory.has(key)) {
        return Optional.empty();
      }
      uses.hold(key);
      if (!isFresh) {
        directory.touch(key, clock.instant());
      }
      return Optional.of(new Lease(this, key));
    }
  }

  private Future<Void> unpackOnce(FunctionCode code, CodeKey key) {
    FutureTask<Void> own =
        new FutureTask<>(() -> {
          try {
            unpack(code, key);
          } finally {
            // Before its end is seen: who was told of a failure may try again at once.
            flights.remove(key);
          }
          return null;
        });
    FutureTask<Void> earlier = flights.putIfAbsent(key, own);
    if (earlier != null) {
      return earlier;
    }
    // On a thread of its own: who came first may give up, the others still want the result. And not
    // on a virtual one: unpacking is work for the processor and would hold up the others.
    try {
      unpackers.execute(own);
      return own;
    } catch (RuntimeException | OutOfMemoryError e) { // No thread can be made.
      flights.remove(key);
      throw e;
    }
  }

  private static void land(Future<Void> flight, CodeHash hash, Duration timeout) {
    try {
      flight.get(Math.max(0, timeout.toNanos()), TimeUnit.NANOSECONDS);
    } catch (TimeoutException _) {
      throw new ApiException(
          ErrorCode.GATEWAY_TIMEOUT, "code " + hash.base64() + " was not ready in time");
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw new ApiException(ErrorCode.UNAVAILABLE, "code " + hash.base64() + ": interrupted");
    } catch (ExecutionException e) {
      if (e.getCause() instanceof ApiException failure) {
        throw failure;
      }
      throw new ApiException(ErrorCode.SERVICE, "code " + hash.base64() + ": " + e.getCause());
    }
  }

  private void unpack(FunctionCode code, CodeKey key) {
    if (directory.has(key)) {
      return; // Another flight landed between the look and the start of this one.
    }
    Path content = directory.temporary("content");
    boolean isWhole = false;
    synchronized (lock) {
      uses.hold(key); // So that nobody makes room at its cost while it is made.
    }
    try {
      unpacker.unpack(
          code, key, () -> directory.temporary("archive"), content, use -> makeRoom(key, use));
      directory.add(content, key);
      isWhole = true;
      LOG.info("code {} unpacked", key);
    } catch (IOException e) {
      throw new ApiException(
          ErrorCode.UNAVAILABLE,
          "unpack code below " + directory.path() + ": " + CodeUnpacker.reason(e));
    } finally {
      synchronized (lock) {
        uses.release(key);
        if (!isWhole) {
          uses.remove(key);
        }
      }
      if (!isWhole) {
        CodeDirectory.delete(content);
      }
    }
  }

  private void release(CodeKey key) {
    synchronized (lock) {
      uses.release(key);
    }
  }

  /// Adds an archive that is about to be unpacked, and deletes others until it fits.
  private void makeRoom(CodeKey fresh, DiskUse use) {
    countAll();
    synchronized (lock) {
      uses.put(fresh, use);
    }
    while (evictOne(fresh.account())) {
      // Until the rest fits, or is in use.
    }
  }

  private boolean evictOne(String account) {
    Path doomed;
    boolean isOwn;
    synchronized (lock) {
      Optional<CodeKey> victim = uses.victim();
      if (victim.isEmpty()) {
        return false;
      }
      uses.remove(victim.get());
      isOwn = victim.get().account().equals(account);
      try {
        doomed = directory.moveAway(victim.get());
        LOG.info("code {} evicted", victim.get());
      } catch (IOException e) {
        LOG.warn("evict code {}: {}", victim.get(), e.toString()); // A restart counts it again.
        return true;
      }
    }
    if (isOwn) {
      CodeDirectory.delete(doomed);
    } else {
      deleter.execute(() -> CodeDirectory.delete(doomed));
    }
    return true;
  }

  /// Counts what an earlier engine left, once.
  private void countAll() {
    synchronized (counting) {
      if (isCounted) {
        return;
      }
      isCounted = true;
      try {
        long block = DiskUse.blockSize(directory.path());
        Map<CodeKey, DiskUse> found = new HashMap<>();
        for (CodeKey key : directory.archives()) {
          count(key, block).ifPresent(use -> found.put(key, use));
        }
        synchronized (lock) { // Only now in order: they may have been used meanwhile.
          directory
              .byLastUse(found.keySet())
              .forEach(key -> uses.put(key, found.getOrDefault(key, DiskUse.NONE)));
        }
      } catch (IOException e) {
        LOG.warn("count {}: {}", directory.path(), e.toString());
      }
    }
  }

  private Optional<DiskUse> count(CodeKey key, long block) {
    try {
      return Optional.of(DiskTree.use(directory.of(key), block));
    } catch (IOException e) { // A bad disk; the others count all the same.
      LOG.warn("count code {}: {}", key, e.toString());
      return Optional.empty();
    }
  }
}
