package io.easyfaas.stubs.store;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.brn.InvalidBrnException;
import io.easyfaas.common.brn.Qualifier;
import io.easyfaas.common.disk.DiskShares;
import io.easyfaas.common.disk.DiskUse;
import io.easyfaas.common.wire.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What functions take of the disk, by account, and whether there is room for more. Counted from
/// what is there at the first question, in one pass; after that only the directories of a function
/// that changes are looked at. Thread-safe; never asked for one function by two threads at once.
final class StoreRoom {
  private static final Logger LOG = LoggerFactory.getLogger(StoreRoom.class);

  private final Path directory;
  private final Path numbers;
  private final Disk disk;
  private final long block;
  private final StoreLimits limits;

  @GuardedBy("this")
  private final Map<FunctionBrn, Use> functions = new HashMap<>();

  @GuardedBy("this")
  private final DiskShares accounts = new DiskShares();

  @GuardedBy("this")
  private boolean isCounted;

  /// @param revisions whose directories may be there; all that are there are among them
  private record Use(DiskUse disk, Set<FunctionBrn> revisions) {
    static final Use NONE = new Use(DiskUse.NONE, Set.of());
  }

  /// @param directory where revisions are
  /// @param numbers where the numbers of deleted versions are, see {@link VersionNumbers}
  /// @param block of the file system in bytes
  StoreRoom(Path directory, Path numbers, Disk disk, long block, StoreLimits limits) {
    this.directory = directory;
    this.numbers = numbers;
    this.disk = disk;
    this.block = block;
    this.limits = limits;
  }

  /// Sets room aside for a change of a revision, which {@link #settle} ends.
  ///
  /// @param more what the change adds, at most
  /// @throws StoreException naming the limit when there is no room
  synchronized void take(FunctionBrn revision, DiskUse more) throws IOException {
    countAll();
    FunctionBrn function = revision.unqualified();
    DiskUse ofAccount = accounts.of(function.account()).plus(more);
    DiskUse ofAll = accounts.total().plus(more);
    check(function, ofAccount, limits.account(), "an account", "--functions-account-");
    check(function, ofAll, limits.total(), "all accounts", "--functions-");
    Use before = functions.getOrDefault(function, Use.NONE);
    Set<FunctionBrn> revisions = new HashSet<>(before.revisions());
    revisions.add(revision);
    keep(function, new Use(before.disk().plus(more), revisions));
  }

  /// Counts what a function takes now. Before the first question there is nothing to be kept up to
  /// date. The disk is read without the lock. Where it cannot be read, what was set aside counts
  /// until the next change.
  ///
  /// @param function with a version or without
  void settle(FunctionBrn function) {
    FunctionBrn unqualified = function.unqualified();
    Set<FunctionBrn> revisions;
    synchronized (this) {
      if (!isCounted) {
        return;
      }
      revisions = functions.getOrDefault(unqualified, Use.NONE).revisions();
    }
    Use now;
    try {
      now = count(unqualified, revisions);
    } catch (IOException e) {
      LOG.warn("count {}: {}; the next change counts again", unqualified, e.toString());
      return;
    }
    synchronized (this) {
      keep(unqualified, now);
    }
  }

  @GuardedBy("this")
  private void keep(FunctionBrn function, Use now) {
    Use before = functions.remove(function);
    if (before != null) {
      accounts.remove(function.account(), before.disk());
    }
    if (!now.equals(Use.NONE)) {
      functions.put(function, now);
      accounts.add(function.account(), now.disk());
    }
  }

  @GuardedBy("this")
  private void countAll() throws IOException {
    if (isCounted) {
      return;
    }
    Map<FunctionBrn, Set<FunctionBrn>> found = new HashMap<>();
    for (Path entry : disk.children(directory)) {
      String name = entry.getFileName().toString();
      if (name.startsWith("brn:")) {
        try {
          FunctionBrn revision = FunctionBrn.parse(name);
          if (revision.qualifier() instanceof Qualifier.Version) {
            found.computeIfAbsent(revision.unqualified(), _ -> new HashSet<>()).add(revision);
          }
        } catch (InvalidBrnException _) {
          // Not made by us.
        }
      }
    }
    for (Path number : disk.children(numbers)) {
      try {
        FunctionBrn function = FunctionBrn.parse(number.getFileName().toString());
        if (function.qualifier() instanceof Qualifier.Absent) {
          found.computeIfAbsent(function, _ -> new HashSet<>());
        }
      } catch (InvalidBrnException _) {
        // As above.
      }
    }
    Map<FunctionBrn, Use> counted = new HashMap<>();
    for (Map.Entry<FunctionBrn, Set<FunctionBrn>> function : found.entrySet()) {
      counted.put(function.getKey(), count(function.getKey(), function.getValue()));
    }
    counted.forEach(this::keep);
    isCounted = true;
  }

  /// What revisions of one function take, with the number that is remembered of it; a zip they
  /// share by hard links counts once.
  private Use count(FunctionBrn function, Set<FunctionBrn> revisions) throws IOException {
    Map<Object, DiskUse> files = new HashMap<>();
    Path number = numbers.resolve(function.toString());
    if (Files.exists(number, NOFOLLOW_LINKS)) {
      files.put(number, DiskUse.ofFile(1, block));
    }
    Set<FunctionBrn> there = new HashSet<>();
    for (FunctionBrn revision : revisions) {
      Path target = directory.resolve(revision.toString());
      try {
        if (Files.isDirectory(target, NOFOLLOW_LINKS)) {
          for (Path file : disk.children(target)) {
            count(file, files);
          }
          files.put(target, DiskUse.ofDirectory(0, block));
          there.add(revision);
        }
      } catch (NoSuchFileException | NotDirectoryException _) {
        // Deleted meanwhile, while all are counted.
      }
    }
    return new Use(files.values().stream().reduce(DiskUse.NONE, DiskUse::plus), there);
  }

  private void count(Path file, Map<Object, DiskUse> files) throws IOException {
    try {
      BasicFileAttributes found =
          Files.readAttributes(file, BasicFileAttributes.class, NOFOLLOW_LINKS);
      Object key = found.fileKey();
      files.put(key == null ? file : key, DiskUse.ofFile(found.size(), block));
    } catch (NoSuchFileException _) {
      // As above.
    }
  }

  private static void check(
      FunctionBrn function, DiskUse use, DiskUse limit, String whose, String settings) {
    if (!use.fits(limit)) {
      throw new StoreException(
          ErrorCode.STORAGE_EXCEEDED,
          "store "
              + function
              + ": the functions of "
              + whose
              + " would take "
              + use
              + " (expected: at most "
              + limit
              + ", see "
              + settings
              + "size and "
              + settings
              + "inodes)",
          null);
    }
  }
}
