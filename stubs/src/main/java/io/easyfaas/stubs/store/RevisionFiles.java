package io.easyfaas.stubs.store;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;
import static java.util.Comparator.comparing;

import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.brn.InvalidBrnException;
import io.easyfaas.common.brn.Qualifier;
import io.easyfaas.common.function.FunctionDocument;
import io.easyfaas.common.function.FunctionDocument.FunctionCode;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.json.JsonException;
import io.easyfaas.common.wire.ErrorCode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The directories of revisions: `<BRN with version>/{meta.json,code-<hex SHA-256>.zip}`. Not
/// thread-safe for one function; owned by {@link FunctionStore}, which explains the protocol.
final class RevisionFiles {
  private static final Logger LOG = LoggerFactory.getLogger(RevisionFiles.class);
  private static final String META = "meta.json";
  private static final String LEGACY_CODE = "code.zip";
  private static final String FILESYSTEM = "filesystem";

  private final Path directory;
  private final Path incoming;
  private final Disk disk;

  /// @param directory where revisions are
  /// @param incoming an existing directory on the same file system, for what is not whole
  RevisionFiles(Path directory, Path incoming, Disk disk) {
    this.directory = directory;
    this.incoming = incoming;
    this.disk = disk;
  }

  /// Every revision, by BRN.
  List<FunctionBrn> list() throws IOException {
    List<FunctionBrn> revisions = new ArrayList<>();
    for (Path entry : children(directory)) {
      revision(entry).ifPresent(revisions::add);
    }
    revisions.sort(comparing(FunctionBrn::toString));
    return List.copyOf(revisions);
  }

  /// The stored document, with its code where it is now.
  ///
  /// @throws StoreException when there is one but it cannot be read
  Optional<FunctionDocument> read(FunctionBrn revision) {
    Path target = directoryOf(revision);
    try {
      byte[] json = Files.readAllBytes(target.resolve(META));
      FunctionDocument document = Json.PASCAL.read(json, FunctionDocument.class);
      Path name = Path.of(document.code().location()).getFileName();
      boolean isHere = FILESYSTEM.equals(document.code().repositoryType()) && name != null;
      return Optional.of(isHere ? withCode(document, target.resolve(name)) : document);
    } catch (NoSuchFileException _) {
      return Optional.empty();
    } catch (IOException | JsonException e) {
      throw new StoreException(
          ErrorCode.SERVICE, "read " + target.resolve(META) + ": " + e.getMessage(), e);
    }
  }

  /// Makes a revision be this document and this code, from one moment to the next.
  ///
  /// @throws IOException the revision is as it was, unless only the last sync failed
  FunctionDocument replace(FunctionBrn revision, FunctionDocument document, Path code)
      throws IOException {
    Path target = directoryOf(revision);
    Path meta = target.resolve(META);
    Path stored = target.resolve(codeName(document.configuration().codeSha256()));
    Path draft = incoming.resolve(UUID.randomUUID() + ".json");
    FunctionDocument whole = withCode(document, stored);
    Optional<Path> previous = codeOf(revision);
    boolean isNew = !Files.exists(meta);
    boolean codeIsNew = !Files.exists(stored);
    try {
      disk.createDirectories(target);
      disk.sync(directory);
      if (codeIsNew) {
        disk.link(code, stored);
      }
      disk.sync(target);
      disk.write(draft, Json.PASCAL.write(whole));
      disk.move(draft, meta);
    } catch (IOException e) {
      discard(draft);
      if (codeIsNew) {
        discard(stored);
      }
      if (isNew) {
        discard(target);
      }
      throw e;
    }
    disk.sync(target);
    prune(target, stored, previous);
    return whole;
  }

  /// Removes a revision, if it is there, from one moment to the next.
  void remove(FunctionBrn revision) throws IOException {
    Path target = directoryOf(revision);
    if (Files.exists(target)) {
      Path away = incoming.resolve(UUID.randomUUID().toString());
      disk.move(target, away);
      disk.sync(directory);
      try {
        deleteTree(away);
      } catch (IOException e) {
        LOG.warn("remove {}: {}; the next start does it", away, e.toString());
      }
    }
  }

  /// Removes what a killed process was writing or removing.
  void sweep() throws IOException {
    for (Path left : children(incoming)) {
      LOG.info("removing {}, left by a process that was killed", left);
      deleteTree(left);
    }
    for (Path entry : children(directory)) {
      if (entry.getFileName().toString().startsWith("brn:")
          && Files.isDirectory(entry)
          && !Files.exists(entry.resolve(META))) {
        removeIncomplete(entry);
      }
    }
  }

  /// Removes a file that is of no use any more; a failure is only logged.
  void discard(Path file) {
    try {
      disk.delete(file);
    } catch (IOException e) {
      LOG.warn("remove {}: {}; the next start does it", file, e.toString());
    }
  }

  static List<Path> children(Path directory) throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.sorted().toList();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  /// A directory without a document was never a revision; what is not ours in it stays.
  private void removeIncomplete(Path target) throws IOException {
    for (Path file : children(target)) {
      if (isCode(file) && !file.endsWith(LEGACY_CODE)) {
        disk.delete(file);
      }
    }
    if (children(target).isEmpty()) {
      LOG.info("removing {}, which was never completed", target);
      disk.delete(target);
    }
  }

  private Optional<Path> codeOf(FunctionBrn revision) {
    try {
      return read(revision).map(document -> Path.of(document.code().location()));
    } catch (StoreException e) {
      LOG.warn("{}; it is replaced", e.getMessage());
      return Optional.empty();
    }
  }

  private void prune(Path target, Path current, Optional<Path> previous) {
    try {
      for (Path file : children(target)) {
        if (isCode(file) && !file.equals(current) && !previous.equals(Optional.of(file))) {
          disk.delete(file);
        }
      }
    } catch (IOException e) {
      LOG.warn("remove old code in {}: {}; the next change tries again", target, e.toString());
    }
  }

  private void deleteTree(Path tree) throws IOException {
    if (Files.isDirectory(tree, NOFOLLOW_LINKS)) {
      for (Path child : children(tree)) {
        deleteTree(child);
      }
    }
    disk.delete(tree);
  }

  private Path directoryOf(FunctionBrn revision) {
    return directory.resolve(revision.toString());
  }

  private static Optional<FunctionBrn> revision(Path entry) {
    String name = entry.getFileName().toString();
    if (!name.startsWith("brn:") || !Files.exists(entry.resolve(META))) {
      return Optional.empty();
    }
    try {
      FunctionBrn brn = FunctionBrn.parse(name);
      return brn.qualifier() instanceof Qualifier.Version ? Optional.of(brn) : Optional.empty();
    } catch (InvalidBrnException _) {
      return Optional.empty(); // Not made by us.
    }
  }

  private static FunctionDocument withCode(FunctionDocument document, Path code) {
    return new FunctionDocument(
        new FunctionCode(code.toString(), FILESYSTEM, ""),
        document.concurrency(),
        document.configuration(),
        document.logConfig(),
        document.uid(),
        document.tags());
  }

  private static String codeName(String sha256) {
    return "code-" + HexFormat.of().formatHex(Base64.getDecoder().decode(sha256)) + ".zip";
  }

  private static boolean isCode(Path file) {
    String name = file.getFileName().toString();
    return name.equals(LEGACY_CODE)
        || name.startsWith(".partial-")
        || (name.startsWith("code-") && name.endsWith(".zip"));
  }
}
