package io.easyfaas.funclet.code;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.disk.DiskTree;
import io.easyfaas.common.disk.DiskUse;
import io.easyfaas.common.function.FunctionDocument.FunctionCode;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.zip.BadZipException;
import io.easyfaas.common.zip.ZipArchive;
import io.easyfaas.common.zip.ZipLimits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Unpacked code archives by the hash of the archive. Thread-safe.
///
/// **Layout.** `<directory>/<64 hex digits>/` is one archive, whole and never changed. Whatever
/// starts with a dot is work in progress or being deleted, and is swept at start. A directory
/// appears by one rename after everything in it was checked.
///
/// **Single flight.** However many containers ask for one archive at once, it is fetched and
/// unpacked once; if that fails, all of them are told so.
///
/// **No fsync.** A power failure may leave a renamed directory with empty files. So the cache
/// remembers under which boot of the machine it was filled, and one of an earlier boot is dropped:
/// everything in it can be fetched again.
///
/// **Eviction.** After each unpacking, directories nobody holds are deleted, the longest unused
/// first, until the rest fits. A held directory is never deleted, so the cache can exceed its limit
/// by what is in use.
public final class CodeCache {
  private static final Logger LOG = LoggerFactory.getLogger(CodeCache.class);
  private static final long MAX_ARCHIVE_BYTES = 512L << 20; // As max-code-size.
  private static final Duration DOWNLOAD_TIMEOUT = Duration.ofSeconds(10); // As the reference.
  private static final String BOOT_FILE = ".boot";

  private final Path directory;
  private final ByteSize limit;
  private final CodeFetcher fetcher;
  private final InstantSource clock;
  private final Map<String, FutureTask<Void>> flights = new ConcurrentHashMap<>();
  private final Map<String, Long> sizes = new ConcurrentHashMap<>();
  // Never shut down: its threads hold nothing, keep nobody alive, and end after a minute idle.
  private final ExecutorService unpackers =
      Executors.newCachedThreadPool(Thread.ofPlatform().daemon().name("code-", 0).factory());
  private final AtomicLong temporaries = new AtomicLong();
  private final Object lock = new Object();
  // Whether `sizes` has every archive, those of an earlier engine too.
  private volatile boolean isCounted;

  @GuardedBy("lock")
  private final Map<String, Integer> holders = new HashMap<>();

  /// A held directory: it stays until it is closed.
  public static final class Lease implements AutoCloseable {
    private final CodeCache cache;
    private final CodeHash hash;
    private final AtomicBoolean isClosed = new AtomicBoolean();

    private Lease(CodeCache cache, CodeHash hash) {
      this.cache = cache;
      this.hash = hash;
    }

    /// The unpacked archive.
    public Path directory() {
      return cache.path(hash);
    }

    /// Lets the directory go. Safe to call twice.
    @Override
    public void close() {
      if (isClosed.compareAndSet(false, true)) {
        cache.release(hash);
      }
    }
  }

  /// Code that somebody wants to hold, there already or on its way.
  public final class Order {
    private final FunctionCode code;
    private final CodeHash hash;
    private final @Nullable Future<Void> flight;

    private Order(FunctionCode code, CodeHash hash) {
      this.code = code;
      this.hash = hash;
      this.flight = isThere(hash) ? null : unpackOnce(code, hash);
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
          land(ordered, hash, Duration.ofNanos(deadline - System.nanoTime()));
        }
        Optional<Lease> lease = hold(hash);
        if (lease.isPresent()) {
          return lease.get();
        }
        ordered = unpackOnce(code, hash); // It was evicted before it could be held.
      }
    }
  }

  /// Opens the cache. Call {@link #sweep} before anything else.
  ///
  /// @param directory made when it does not exist
  /// @param limit total size of what is kept
  public CodeCache(Path directory, ByteSize limit) {
    this(
        directory,
        limit,
        new CodeFetcher(MAX_ARCHIVE_BYTES, DOWNLOAD_TIMEOUT),
        InstantSource.system());
  }

  CodeCache(Path directory, ByteSize limit, CodeFetcher fetcher, InstantSource clock) {
    this.directory = directory;
    this.limit = limit;
    this.fetcher = fetcher;
    this.clock = clock;
  }

  /// Makes the directory, removes what was in progress when the last engine ended, and everything
  /// when the machine was started anew since.
  ///
  /// @param bootId text of `/proc/sys/kernel/random/boot_id`
  public void sweep(String bootId) throws IOException {
    Files.createDirectories(directory);
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx--x--x"));
    Path boot = directory.resolve(BOOT_FILE);
    boolean isSameBoot = Files.exists(boot) && Files.readString(boot, UTF_8).equals(bootId);
    for (Path child : children()) {
      if (!isSameBoot || child.getFileName().toString().startsWith(".")) {
        DiskTree.delete(child);
      }
    }
    Files.writeString(boot, bootId, UTF_8);
  }

  /// Begins to fetch and unpack an archive that is not there. Does not block.
  ///
  /// @param hash of the archive
  public Order order(FunctionCode code, CodeHash hash) {
    return new Order(code, hash);
  }

  Path path(CodeHash hash) {
    return directory.resolve(hash.hex());
  }

  private boolean isThere(CodeHash hash) {
    return Files.isDirectory(path(hash), LinkOption.NOFOLLOW_LINKS);
  }

  private Optional<Lease> hold(CodeHash hash) {
    synchronized (lock) {
      if (!isThere(hash)) {
        return Optional.empty();
      }
      holders.merge(hash.hex(), 1, Integer::sum);
      touch(hash);
      return Optional.of(new Lease(this, hash));
    }
  }

  private Future<Void> unpackOnce(FunctionCode code, CodeHash hash) {
    FutureTask<Void> own =
        new FutureTask<>(() -> {
          try {
            unpack(code, hash);
          } finally {
            // Before its end is seen: who was told of a failure may try again at once.
            flights.remove(hash.hex());
          }
          return null;
        });
    FutureTask<Void> earlier = flights.putIfAbsent(hash.hex(), own);
    if (earlier != null) {
      return earlier;
    }
    // On a thread of its own: who came first may give up, the others still want the result. And not
    // on a virtual one: unpacking is work for the processor and would hold up the others.
    try {
      unpackers.execute(own);
      return own;
    } catch (RuntimeException | OutOfMemoryError e) { // No thread can be made.
      flights.remove(hash.hex());
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

  private void unpack(FunctionCode code, CodeHash hash) {
    if (isThere(hash)) {
      return; // Another flight landed between the look and the start of this one.
    }
    String number = Long.toString(temporaries.incrementAndGet());
    Path archive = directory.resolve(".archive-" + number);
    Path content = directory.resolve(".content-" + number);
    try {
      CodeHash actual = fetcher.fetch(code, archive);
      if (!actual.equals(hash)) {
        throw new ApiException(
            ErrorCode.INVALID_PARAMETER,
            "CodeSha256 checksum failed: the code is "
                + actual.base64()
                + " (expected: "
                + hash.base64()
                + ")");
      }
      Files.createDirectory(content);
      Files.setPosixFilePermissions(content, PosixFilePermissions.fromString("rwxr-xr-x"));
      long bytes = extract(archive, content);
      Files.move(content, path(hash), StandardCopyOption.ATOMIC_MOVE);
      sizes.put(hash.hex(), bytes);
      LOG.info("code {} unpacked, {} bytes", hash.hex(), bytes);
    } catch (BadZipException e) {
      throw new ApiException(ErrorCode.INVALID_PARAMETER, "the code archive " + e.getMessage());
    } catch (IOException e) {
      throw new ApiException(
          ErrorCode.UNAVAILABLE, "unpack code below " + directory + ": " + reason(e));
    } finally {
      deleteQuietly(archive);
      deleteQuietly(content); // There after a failure only.
    }
    evict(hash);
  }

  private static long extract(Path archive, Path content) throws IOException {
    try (ZipArchive zip = ZipArchive.open(archive, ZipLimits.STANDARD)) {
      ZipExtractor.extract(zip, content);
      return zip.use(DiskUse.blockSize(content)).bytes();
    }
  }

  private static String reason(IOException e) {
    return String.valueOf(e.getMessage())
        + (String.valueOf(e.getMessage()).contains("No space left")
            ? ". Hint: free some disk space, or lower --code-cache-size"
            : "");
  }

  private void touch(CodeHash hash) {
    try {
      Files.setLastModifiedTime(path(hash), FileTime.from(clock.instant()));
    } catch (IOException e) {
      LOG.warn("code {}: {}", hash.hex(), e.getMessage());
    }
  }

  private void release(CodeHash hash) {
    synchronized (lock) {
      holders.computeIfPresent(hash.hex(), (_, count) -> count == 1 ? null : count - 1);
    }
  }

  /// @param fresh just unpacked and about to be held: not deleted
  private void evict(CodeHash fresh) {
    record Aged(Path path, long bytes, Instant lastUse) {}
    if (isCounted && sizes.values().stream().mapToLong(Long::longValue).sum() <= limit.bytes()) {
      return;
    }
    List<Aged> archives = new ArrayList<>();
    try {
      for (Path child : children()) {
        if (!child.getFileName().toString().startsWith(".")) {
          archives.add(
              new Aged(child, sizeOf(child), Files.getLastModifiedTime(child).toInstant()));
        }
      }
    } catch (IOException e) {
      LOG.warn("code cache {}: {}", directory, e.getMessage()); // The next unpacking tries again.
      return;
    }
    sizes.keySet().removeIf(hex -> !Files.isDirectory(directory.resolve(hex)));
    isCounted = true;
    long total = archives.stream().mapToLong(Aged::bytes).sum();
    archives.sort(Comparator.comparing(Aged::lastUse));
    for (Aged archive : archives) {
      if (total <= limit.bytes()) {
        return;
      }
      String hex = archive.path().getFileName().toString();
      if (!hex.equals(fresh.hex()) && moveAway(hex)) {
        total -= archive.bytes();
        LOG.info("code {} evicted, {} bytes", hex, archive.bytes());
      }
    }
  }

  /// Renames first, so that nobody can take hold of a directory that is half deleted.
  private boolean moveAway(String hex) {
    Path doomed = directory.resolve(".evicted-" + temporaries.incrementAndGet());
    synchronized (lock) {
      if (holders.containsKey(hex)) {
        return false;
      }
      try {
        sizes.remove(hex); // Before the move: it may be unpacked again right after it.
        Files.move(directory.resolve(hex), doomed, StandardCopyOption.ATOMIC_MOVE);
      } catch (IOException e) {
        isCounted = false;
        LOG.warn("evict code {}: {}", hex, e.getMessage());
        return false;
      }
    }
    deleteQuietly(doomed);
    return true;
  }

  private long sizeOf(Path archive) throws IOException {
    String hex = archive.getFileName().toString();
    Long known = sizes.get(hex);
    if (known == null) {
      known = DiskTree.use(archive).bytes();
      sizes.put(hex, known);
    }
    return known;
  }

  private static void deleteQuietly(Path path) {
    try {
      DiskTree.delete(path);
    } catch (IOException e) {
      LOG.warn("remove {}: {}", path, e.getMessage()); // Swept at the next start.
    }
  }

  private List<Path> children() throws IOException {
    try (Stream<Path> found = Files.list(directory)) {
      return found.toList();
    }
  }
}
