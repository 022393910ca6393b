package io.easyfaas.stubs.store;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.disk.DirectoryLock;
import io.easyfaas.common.disk.DiskUse;
import io.easyfaas.common.function.FunctionDocument;
import io.easyfaas.common.wire.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Every revision of every function, in one directory. Thread-safe; one process at a time.
///
/// | path | content |
/// | --- | --- |
/// | `<BRN with version>/meta.json` | the document; the revision exists while this file does |
/// | `<BRN with version>/code-<hex SHA-256>.zip` | the code, never changed; `Code.Location` |
/// | `.incoming/` | what is being written or removed; emptied at start |
/// | `.deleting/<BRN>` | the function is being deleted; finished at start |
/// | `.numbers/<BRN>` | highest version number ever used, once a version was deleted |
/// | `.lock` | held by the process that uses the directory |
///
/// **One commit point.** A revision changes when its `meta.json` is replaced by rename(2), and at
/// no other moment. The code has its hash in its name and is durable before that, so a document
/// never points to code it was not written for, whenever the machine stops. The code of the
/// revision before stays until the next change, and then a little longer, see {@link ReplacedCode}:
/// a warm-up that already holds the old document finds it.
///
/// **Deleting** a revision removes its `meta.json`, then the rest, and needs no room, so that a
/// full disk can be emptied. A mark written before a whole function is deleted makes the next start
/// finish what a crash interrupted.
///
/// **Damage.** Whatever is found in place of one of these files is named in the log and left out or
/// removed; everything else goes on.
///
/// **Locks.** What changes a function is called with its lock held, see {@link #lock}.
public final class FunctionStore implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(FunctionStore.class);

  private final Path directory;
  private final Path incoming;
  private final Disk disk;
  private final DirectoryLock directoryLock;
  private final RevisionFiles files;
  private final Removal removal;
  private final VersionNumbers numbers;
  private final StoreRoom room;
  private final ReplacedCode replaced;
  private final FunctionLocks locks = new FunctionLocks();
  private final RevisionCache cache = new RevisionCache();
  private final Set<FunctionBrn> damaged = ConcurrentHashMap.newKeySet();

  /// A function's lock, held by the thread that took it until closed.
  @FunctionalInterface
  public interface Lock extends AutoCloseable {
    @Override
    void close();
  }

  private FunctionStore(
      Path directory,
      Disk disk,
      DirectoryLock directoryLock,
      StoreLimits limits,
      long block,
      LongSupplier nanoTime) {
    this.directory = directory;
    this.incoming = directory.resolve(".incoming");
    this.disk = disk;
    this.directoryLock = directoryLock;
    this.replaced = new ReplacedCode(this::removeReplaced, nanoTime);
    this.files = new RevisionFiles(directory, incoming, disk, block, replaced);
    this.numbers = new VersionNumbers(directory.resolve(".numbers"), incoming, disk);
    this.room = new StoreRoom(directory, directory.resolve(".numbers"), disk, block, limits);
    this.removal =
        new Removal(
            new DeletionMarks(directory.resolve(".deleting"), disk),
            files,
            numbers,
            room,
            this::forget);
  }

  /// Opens a directory, made if necessary, and clears what a killed process left in it.
  ///
  /// @throws StoreException when it cannot be written, or another process uses it
  public static FunctionStore open(Path directory, StoreLimits limits) {
    FunctionStore store = open(directory, limits, new LocalDisk(), System::nanoTime);
    store.replaced.tidyByItself();
    return store;
  }

  static FunctionStore open(Path directory, StoreLimits limits, Disk disk) {
    return open(directory, limits, disk, System::nanoTime);
  }

  /// Opens a directory, with a disk and a clock of the caller's. Old code goes when {@link #tidy}
  /// is called.
  static FunctionStore open(Path directory, StoreLimits limits, Disk disk, LongSupplier nanoTime) {
    Path absolute = directory.toAbsolutePath().normalize();
    DirectoryLock lock;
    long block;
    try {
      disk.createDirectories(absolute);
      block = DiskUse.blockSize(absolute);
      lock = DirectoryLock.take(absolute.resolve(".lock"));
    } catch (DirectoryLock.HeldException e) {
      throw new StoreException(
          ErrorCode.UNAVAILABLE,
          "function directory "
              + absolute
              + ": in use by process "
              + e.holder()
              + ". Hint: give each engine its own --data-dir or --function-dir",
          e);
    } catch (IOException e) {
      throw unusable(absolute, e);
    }
    FunctionStore store = new FunctionStore(absolute, disk, lock, limits, block, nanoTime);
    try {
      store.sweep();
      return store;
    } catch (IOException e) {
      store.close();
      throw unusable(absolute, e);
    }
  }

  /// Waits for the lock of a function and all its revisions, at most 30 s. Reentrant.
  ///
  /// @throws StoreException when it is not free in time
  public Lock lock(FunctionBrn function) {
    FunctionLocks.Held held = locks.lock(function.unqualified().toString());
    return held::close;
  }

  /// The document of a revision. Its `Code.Location` is where the code is now, also when the
  /// directory was moved since it was stored.
  ///
  /// @param revision a BRN with a version
  /// @throws StoreException when there is a document but it cannot be read
  public Optional<FunctionDocument> find(FunctionBrn revision) {
    Optional<FunctionDocument> cached = cache.find(revision);
    if (cached.isPresent()) {
      return cached;
    }
    try (Lock _ = lock(revision)) {
      Optional<FunctionDocument> stored = files.read(revision);
      stored.ifPresent(document -> cache.put(revision, document));
      return stored;
    }
  }

  /// As {@link #find}, but a document that cannot be read is as good as none: it is named in the
  /// log once, and does not keep the others from being listed.
  public Optional<FunctionDocument> findReadable(FunctionBrn revision) {
    try {
      return find(revision);
    } catch (StoreException e) {
      if (damaged.add(revision)) {
        LOG.warn("{} is left out: {}", revision, e.getMessage());
      }
      return Optional.empty();
    }
  }

  /// Checks that the zip of a revision is what its document says.
  ///
  /// @throws StoreException naming the zip when it is not
  public void checkCode(FunctionDocument document) {
    Path code = Path.of(document.code().location());
    String expected = document.configuration().codeSha256();
    try {
      String actual = CodeHash.of(code);
      if (!actual.equals(expected)) {
        throw new StoreException(
            ErrorCode.SERVICE,
            code + " is damaged: its SHA-256 is " + actual + " (expected: " + expected + ")",
            null);
      }
    } catch (IOException e) {
      throw failure("read " + code, e, 0);
    }
  }

  /// Every revision of every function, by BRN.
  ///
  /// @throws StoreException when the directory cannot be read
  public List<FunctionBrn> revisions() {
    try {
      return files.list();
    } catch (IOException e) {
      throw failure("list " + directory, e, 0);
    }
  }

  /// The revisions of one function: `$LATEST`, then the numbered ones ascending.
  ///
  /// @throws StoreException when the directory cannot be read
  public List<FunctionBrn> revisions(FunctionBrn function) {
    try {
      return files.list(function.unqualified());
    } catch (IOException e) {
      throw failure("list " + directory, e, 0);
    }
  }

  /// The highest number any version of a function has or ever had; 0 when there never was one.
  ///
  /// @throws StoreException when the directory cannot be read
  public long highestNumber(FunctionBrn function) {
    try {
      return removal.highest(function.unqualified());
    } catch (IOException e) {
      throw failure("read the versions of " + function.unqualified(), e, 0);
    }
  }

  /// Begins a code package on disk, to be finished, checked, and then taken by {@link #put}. A
  /// process that is killed leaves it behind; the next start removes it.
  ///
  /// @throws StoreException when the disk is full or broken
  public CodeDraft stage() {
    Path file = incoming.resolve(UUID.randomUUID() + ".zip");
    try {
      return new CodeDraft(this, file, disk.create(file));
    } catch (IOException e) {
      disk.discard(file);
      throw failure("store code", e, 0);
    }
  }

  /// Stores a revision, new or instead of what was there. The caller holds the function's lock.
  ///
  /// @param revision a BRN with a version
  /// @param document what to store; its `Code` is ignored
  /// @param code the zip whose SHA-256 the document names, on the same file system
  /// @return the document with its `Code`
  /// @throws StoreException when it could not be stored; what was there is still there
  public FunctionDocument put(FunctionBrn revision, FunctionDocument document, Path code) {
    try {
      return replace(revision, document, code);
    } catch (StoreException e) {
      List<ReplacedCode.Kept> kept = replaced.of(revision.unqualified());
      if (kept.isEmpty() || !e.isForWantOfRoom()) {
        throw e;
      }
      kept.forEach(this::removeReplaced); // It has the room that this may lack.
      return replace(revision, document, code);
    }
  }

  private FunctionDocument replace(FunctionBrn revision, FunctionDocument document, Path code) {
    FunctionBrn function = revision.unqualified();
    try {
      removal.finish(function);
      room.take(revision, files.need(revision, document, code));
      try {
        FunctionDocument stored = files.replace(revision, document, code);
        cache.put(revision, stored);
        damaged.remove(revision);
        return stored;
      } finally {
        room.settle(function);
      }
    } catch (IOException e) {
      cache.remove(revision); // Whether it was replaced all the same, only the disk knows.
      throw failure("store " + revision, e, sizeOf(code));
    } catch (RuntimeException | Error e) {
      cache.remove(revision);
      throw e;
    }
  }

  /// Removes one revision, if it is there. The caller holds the function's lock.
  ///
  /// @throws StoreException when it could not be removed; then it is still there
  public void delete(FunctionBrn revision) {
    try {
      removal.remove(revision);
    } catch (IOException e) {
      throw failure("delete " + revision, e, 0);
    }
  }

  /// Removes a function with all its revisions. The caller holds the function's lock.
  ///
  /// @return the revisions there were
  /// @throws StoreException when it could not be removed; it may be gone in part, and asking again
  ///   or the next start removes the rest
  public List<FunctionBrn> deleteAll(FunctionBrn named) {
    FunctionBrn function = named.unqualified();
    try {
      return removal.removeFunction(function);
    } catch (IOException e) {
      throw failure("delete " + function, e, 0);
    }
  }

  /// Removes the code that is kept for too long.
  void tidy() {
    replaced.tidy();
  }

  /// Lets another process use the directory. Safe to call twice.
  @Override
  public void close() {
    replaced.close();
    try {
      directoryLock.close();
    } catch (IOException e) {
      throw new StoreException(ErrorCode.SERVICE, "unlock: " + e, e);
    }
  }

  Disk disk() {
    return disk;
  }

  void discard(Path file) {
    disk.discard(file);
  }

  private void removeReplaced(ReplacedCode.Kept code) {
    FunctionBrn function = code.revision().unqualified();
    try (Lock _ = lock(function)) {
      if (replaced.release(code.file())) { // Else it is in use again.
        disk.delete(code.file());
        room.settle(function);
      }
    } catch (IOException | StoreException e) {
      LOG.warn("remove {}: {}; the next change tries again", code.file(), e.toString());
    }
  }

  private void sweep() throws IOException {
    for (String own : List.of(".incoming", ".deleting", ".numbers")) {
      Path path = directory.resolve(own);
      if (Files.exists(path, NOFOLLOW_LINKS) && !Files.isDirectory(path, NOFOLLOW_LINKS)) {
        LOG.warn("{} is no directory: removed", path);
        disk.deleteTree(path);
      }
      disk.createDirectories(path);
    }
    disk.sync(directory);
    files.sweep();
    removal.finishAll();
  }

  private void forget(FunctionBrn revision) {
    cache.remove(revision);
    damaged.remove(revision);
  }

  StoreException failure(String what, IOException cause, long bytesWanted) {
    return StoreException.of(what, directory, cause, bytesWanted);
  }

  private static StoreException unusable(Path directory, IOException cause) {
    return new StoreException(
        ErrorCode.UNAVAILABLE, "function directory " + directory + ": " + cause, cause);
  }

  private static long sizeOf(Path file) {
    try {
      return Files.size(file);
    } catch (IOException _) {
      return 0; // Only used to word a failure.
    }
  }
}
