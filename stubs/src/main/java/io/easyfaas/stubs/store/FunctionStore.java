package io.easyfaas.stubs.store;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Comparator.comparingLong;

import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.brn.Qualifier;
import io.easyfaas.common.function.FunctionDocument;
import io.easyfaas.common.wire.ErrorCode;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
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
/// revision before stays until the next change: a warm-up that already holds the old document finds
/// it.
///
/// **Deleting** a function moves each revision away in one rename. A mark written first makes the
/// next start finish what a crash interrupted.
///
/// **Locks.** What changes a function is called with its lock held, see {@link #lock}.
public final class FunctionStore implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(FunctionStore.class);

  private final Path directory;
  private final Path incoming;
  private final Path deleting;
  private final Path numbers;
  private final Disk disk;
  private final DirectoryLock directoryLock;
  private final RevisionFiles files;
  private final FunctionLocks locks = new FunctionLocks();
  private final RevisionCache cache = new RevisionCache();

  /// A function's lock, held by the thread that took it until closed.
  @FunctionalInterface
  public interface Lock extends AutoCloseable {
    @Override
    void close();
  }

  private FunctionStore(Path directory, Disk disk, DirectoryLock directoryLock) {
    this.directory = directory;
    this.incoming = directory.resolve(".incoming");
    this.deleting = directory.resolve(".deleting");
    this.numbers = directory.resolve(".numbers");
    this.disk = disk;
    this.directoryLock = directoryLock;
    this.files = new RevisionFiles(directory, incoming, disk);
  }

  /// Opens a directory, made if necessary, and clears what a killed process left in it.
  ///
  /// @throws StoreException when it cannot be written, or another process uses it
  public static FunctionStore open(Path directory) {
    return open(directory, new LocalDisk());
  }

  static FunctionStore open(Path directory, Disk disk) {
    Path absolute = directory.toAbsolutePath().normalize();
    try {
      disk.createDirectories(absolute);
    } catch (IOException e) {
      throw unusable(absolute, e);
    }
    FunctionStore store = new FunctionStore(absolute, disk, DirectoryLock.take(absolute));
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
    FunctionLocks.Held held = locks.lock(unqualified(function).toString());
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
      return listOf(function);
    } catch (IOException e) {
      throw failure("list " + directory, e, 0);
    }
  }

  /// The highest number any version of a function has or ever had; 0 when there never was one.
  ///
  /// @throws StoreException when the directory cannot be read
  public long highestNumber(FunctionBrn function) {
    try {
      return Math.max(rememberedNumber(function), highest(listOf(function)));
    } catch (IOException e) {
      throw failure("read the versions of " + unqualified(function), e, 0);
    }
  }

  /// Puts a code package on disk, durable, to be checked and then taken by {@link #put}.
  ///
  /// @throws StoreException when the disk is full or broken; nothing is left then
  public StagedCode stage(byte[] zip) {
    Path file = incoming.resolve(UUID.randomUUID() + ".zip");
    try {
      disk.write(file, zip);
      String sha256 = Base64.getEncoder().encodeToString(sha256(zip));
      return new StagedCode(this, file, sha256, zip.length);
    } catch (IOException e) {
      files.discard(file);
      throw failure("store " + zip.length + " bytes of code", e, zip.length);
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
      finishDeletion(revision);
      FunctionDocument stored = files.replace(revision, document, code);
      cache.put(revision, stored);
      return stored;
    } catch (IOException e) {
      cache.remove(revision); // Whether it was replaced all the same, only the disk knows.
      throw failure("store " + revision, e, sizeOf(code));
    }
  }

  /// Removes one revision, if it is there. The caller holds the function's lock.
  ///
  /// @throws StoreException when it could not be removed; then it is still there
  public void delete(FunctionBrn revision) {
    try {
      rememberNumber(revision);
      remove(revision);
    } catch (IOException e) {
      throw failure("delete " + revision, e, 0);
    }
  }

  /// Removes a function with all its revisions. The caller holds the function's lock.
  ///
  /// @return the revisions there were
  /// @throws StoreException when it could not be removed; it may be gone in part, and asking again
  ///   or the next start removes the rest
  public List<FunctionBrn> deleteAll(FunctionBrn function) {
    List<FunctionBrn> revisions = revisions(function);
    Path mark = deleting.resolve(unqualified(function).toString());
    try {
      rememberNumber(function);
      if (!Files.exists(mark)) {
        disk.write(mark, new byte[0]);
        disk.sync(deleting);
      }
      finishDeletion(function);
      return revisions;
    } catch (IOException e) {
      throw failure("delete " + unqualified(function), e, 0);
    }
  }

  /// Lets another process use the directory. Safe to call twice.
  @Override
  public void close() {
    directoryLock.close();
  }

  void discard(Path file) {
    files.discard(file);
  }

  private void sweep() throws IOException {
    for (Path own : List.of(incoming, deleting, numbers)) {
      disk.createDirectories(own);
    }
    disk.sync(directory);
    files.sweep();
    for (Path mark : RevisionFiles.children(deleting)) {
      LOG.info("finishing the deletion of {}", mark.getFileName());
      finishDeletion(FunctionBrn.parse(mark.getFileName().toString()));
    }
  }

  private void finishDeletion(FunctionBrn function) throws IOException {
    Path mark = deleting.resolve(unqualified(function).toString());
    if (Files.exists(mark)) {
      for (FunctionBrn revision : listOf(function)) {
        remove(revision);
      }
      disk.delete(mark);
      disk.sync(deleting);
    }
  }

  private void remove(FunctionBrn revision) throws IOException {
    cache.remove(revision); // Also if it cannot be removed: how far that got, only the disk knows.
    files.remove(revision);
  }

  private void rememberNumber(FunctionBrn function) throws IOException {
    long highest = highest(listOf(function));
    if (highest <= rememberedNumber(function)) {
      return;
    }
    Path draft = incoming.resolve(UUID.randomUUID() + ".number");
    try {
      disk.write(draft, Long.toString(highest).getBytes(UTF_8));
      disk.move(draft, numbers.resolve(unqualified(function).toString()));
      disk.sync(numbers);
    } catch (IOException e) {
      files.discard(draft);
      throw e;
    }
  }

  private long rememberedNumber(FunctionBrn function) throws IOException {
    Path file = numbers.resolve(unqualified(function).toString());
    try {
      return Long.parseLong(Files.readString(file).strip());
    } catch (NoSuchFileException _) {
      return 0;
    } catch (NumberFormatException e) {
      throw new IOException(file + ": " + e.getMessage(), e);
    }
  }

  private List<FunctionBrn> listOf(FunctionBrn function) throws IOException {
    return files.list().stream()
        .filter(revision -> unqualified(revision).equals(unqualified(function)))
        .sorted(comparingLong(FunctionStore::number))
        .toList();
  }

  private StoreException failure(String what, IOException cause, long bytesWanted) {
    if (isOutOfSpace(cause, bytesWanted)) {
      return new StoreException(
          ErrorCode.UNAVAILABLE, what + ": no space left in " + directory, cause);
    }
    return new StoreException(ErrorCode.SERVICE, what + ": " + cause, cause);
  }

  /// Java passes ENOSPC and EDQUOT on as text only, which the C library may have translated; then
  /// the free space tells.
  private boolean isOutOfSpace(IOException cause, long bytesWanted) {
    String text =
        cause instanceof FileSystemException e && e.getReason() != null
            ? e.getReason()
            : String.valueOf(cause.getMessage());
    if (text.contains("No space left") || text.contains("quota exceeded")) {
      return true;
    }
    try {
      return bytesWanted > 0 && Files.getFileStore(directory).getUsableSpace() < bytesWanted;
    } catch (IOException _) {
      return false; // The failure itself is reported.
    }
  }

  private static StoreException unusable(Path directory, IOException cause) {
    return new StoreException(
        ErrorCode.UNAVAILABLE, "function directory " + directory + ": " + cause, cause);
  }

  /// The number of a version; 0 for `$LATEST`.
  private static long number(FunctionBrn revision) {
    return revision.qualifier() instanceof Qualifier.Version version && !version.isLatest()
        ? Long.parseLong(version.text())
        : 0;
  }

  private static long highest(List<FunctionBrn> revisions) {
    return revisions.stream().mapToLong(FunctionStore::number).max().orElse(0);
  }

  private static FunctionBrn unqualified(FunctionBrn brn) {
    return brn.withQualifier(new Qualifier.Absent());
  }

  private static long sizeOf(Path file) {
    try {
      return Files.size(file);
    } catch (IOException _) {
      return 0; // Only used to word a failure.
    }
  }

  private static byte[] sha256(byte[] bytes) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(bytes);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
