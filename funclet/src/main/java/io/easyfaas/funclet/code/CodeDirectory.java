package io.easyfaas.funclet.code;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import io.easyfaas.common.disk.DiskTree;
import io.easyfaas.common.disk.SmallFile;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The files of the code cache: `<directory>/<account>/<64 hex digits>/` is one unpacked archive.
///
/// A directory of this form is whole, because it got its name by one rename after everything in it
/// was checked, and loses it by one rename before anything in it is deleted. Whatever starts with a
/// dot is work in progress or being deleted. Thread-safe for different archives.
///
/// @param path made by {@link #sweep}
record CodeDirectory(Path path) {
  private static final Logger LOG = LoggerFactory.getLogger(CodeDirectory.class);
  private static final String BOOT_FILE = ".boot";

  /// Makes the directory, removes what was in progress when the last engine ended, and everything
  /// when the machine was started anew since.
  ///
  /// @param bootId text of `/proc/sys/kernel/random/boot_id`
  void sweep(String bootId) throws IOException {
    makeOpen(path);
    SmallFile boot = new SmallFile(path.resolve(BOOT_FILE));
    boolean isSameBoot = boot.read().equals(Optional.of(bootId));
    for (Path child : children(path)) {
      if (child.equals(boot.path())) {
        continue;
      }
      if (!isAccount(child)) {
        leaveOut(child);
        continue;
      }
      if (!isSameBoot) {
        discard(child);
        continue;
      }
      for (Path archive : children(child)) {
        if (archive.getFileName().toString().startsWith(".")
            || !Files.isDirectory(archive, NOFOLLOW_LINKS)) {
          delete(archive);
        }
      }
      deleteEmpty(child);
    }
    try {
      boot.replace(bootId);
    } catch (IOException e) { // A full disk. The next start finds no boot, or another one.
      LOG.warn("{}: {}; the next start empties the code cache", boot.path(), e.toString());
    }
  }

  /// Where an archive is, or would be.
  Path of(CodeKey key) {
    return account(key).resolve(key.hash().hex());
  }

  private Path account(CodeKey key) {
    return path.resolve(key.account());
  }

  boolean has(CodeKey key) {
    return Files.isDirectory(of(key), NOFOLLOW_LINKS);
  }

  /// A name for work in progress.
  Path temporary(String what) {
    return path.resolve("." + what + "-" + UUID.randomUUID());
  }

  /// Lets a directory be the archive from now on.
  synchronized void add(Path content, CodeKey key) throws IOException {
    if (!Files.isDirectory(account(key), NOFOLLOW_LINKS)) {
      makeAccount(account(key));
    }
    Files.move(content, of(key), StandardCopyOption.ATOMIC_MOVE);
  }

  /// Takes an archive's name away, so that nobody can take hold of what is half deleted.
  ///
  /// @return what is to be deleted
  synchronized Path moveAway(CodeKey key) throws IOException {
    Path doomed = Files.move(of(key), temporary("evicted"), StandardCopyOption.ATOMIC_MOVE);
    deleteEmpty(account(key));
    return doomed;
  }

  /// Remembers when an archive was used.
  void touch(CodeKey key, Instant now) {
    try {
      Files.setLastModifiedTime(of(key), FileTime.from(now));
    } catch (IOException e) {
      LOG.warn("code {}: {}", key, e.toString());
    }
  }

  /// Every archive that is there, but for those of an account whose directory cannot be read.
  List<CodeKey> archives() throws IOException {
    List<CodeKey> archives = new ArrayList<>();
    for (Path account : children(path)) {
      if (isAccount(account)) {
        try {
          archives.addAll(archives(account));
        } catch (IOException e) {
          LOG.warn("list {}: {}", account, e.toString());
        }
      }
    }
    return archives;
  }

  /// Archives in the order of their last use, the one that was used longest ago first.
  List<CodeKey> byLastUse(Set<CodeKey> archives) {
    Map<CodeKey, FileTime> lastUses = new HashMap<>();
    archives.forEach(key -> lastUses.put(key, lastUse(key)));
    return archives.stream().sorted(Comparator.comparing(lastUses::get)).toList();
  }

  private FileTime lastUse(CodeKey key) {
    try {
      return Files.getLastModifiedTime(of(key), NOFOLLOW_LINKS);
    } catch (IOException e) { // A bad disk: the first that should go.
      LOG.warn("code {}: {}", key, e.toString());
      return FileTime.from(Instant.EPOCH);
    }
  }

  private static List<CodeKey> archives(Path account) throws IOException {
    return children(account).stream()
        .map(archive -> archive.getFileName().toString())
        .filter(hex -> !hex.startsWith("."))
        .map(hex -> new CodeKey(account.getFileName().toString(), new CodeHash(hex)))
        .toList();
  }

  /// Deletes what is of no use any more; what cannot be deleted is left to the next start.
  static void delete(Path path) {
    try {
      DiskTree.delete(path);
    } catch (IOException e) {
      LOG.warn("remove {}: {}", path, e.toString());
    }
  }

  /// Of an account whose code has all gone.
  private static void deleteEmpty(Path account) {
    try {
      Files.delete(account);
    } catch (DirectoryNotEmptyException _) {
      // It has some.
    } catch (IOException e) {
      LOG.warn("remove {}: {}", account, e.toString());
    }
  }

  /// What is none of the cache's.
  private void leaveOut(Path child) {
    try {
      discard(child);
    } catch (IOException e) { // Somebody mounted it, for example.
      LOG.warn("{} is no file of the engine's, and is left out: {}", child, e.toString());
    }
  }

  private void discard(Path child) throws IOException {
    Path doomed = temporary("swept");
    Files.move(child, doomed, StandardCopyOption.ATOMIC_MOVE);
    delete(doomed);
  }

  /// Whoever sees it sees it open.
  private void makeAccount(Path account) throws IOException {
    Path made = temporary("account");
    try {
      makeOpen(made);
      Files.move(made, account, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      delete(made);
      throw e;
    }
  }

  /// Sandboxes go through it, but cannot list it.
  private static void makeOpen(Path directory) throws IOException {
    Files.createDirectories(directory);
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx--x--x"));
  }

  private static boolean isAccount(Path child) {
    return CodeKey.isAccount(child.getFileName().toString())
        && Files.isDirectory(child, NOFOLLOW_LINKS);
  }

  private static List<Path> children(Path directory) throws IOException {
    try (Stream<Path> found = Files.list(directory)) {
      return found.toList();
    }
  }
}
