package io.easyfaas.stubs.store;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;
import static java.util.Comparator.comparing;
import static java.util.Comparator.comparingLong;
import static java.util.Objects.requireNonNullElse;

import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.brn.InvalidBrnException;
import io.easyfaas.common.brn.Qualifier;
import io.easyfaas.common.disk.DiskUse;
import io.easyfaas.common.disk.SmallFile;
import io.easyfaas.common.function.FunctionConfiguration;
import io.easyfaas.common.function.FunctionDocument;
import io.easyfaas.common.function.FunctionDocument.FunctionCode;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.json.JsonException;
import io.easyfaas.common.wire.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The directories of revisions: `<BRN with version>/{meta.json,code-<hex SHA-256>.zip}`. Not
/// thread-safe for one function; owned by {@link FunctionStore}, which explains the protocol.
final class RevisionFiles {
  private static final Logger LOG = LoggerFactory.getLogger(RevisionFiles.class);
  private static final String META = "meta.json";
  private static final String LEGACY_CODE = "code.zip";
  private static final int SHA256_BYTES = 32;
  private static final String FILESYSTEM = "filesystem";

  private final Path directory;
  private final Path incoming;
  private final Disk disk;
  private final long block;
  private final ReplacedCode replaced;

  /// @param directory where revisions are
  /// @param incoming an existing directory on the same file system, for what is not whole
  /// @param block of the file system in bytes
  /// @param replaced told of code that no revision has any more
  RevisionFiles(Path directory, Path incoming, Disk disk, long block, ReplacedCode replaced) {
    this.directory = directory;
    this.incoming = incoming;
    this.disk = disk;
    this.block = block;
    this.replaced = replaced;
  }

  /// Every revision, by BRN.
  List<FunctionBrn> list() throws IOException {
    List<FunctionBrn> revisions = new ArrayList<>();
    for (Path entry : disk.children(directory)) {
      revision(entry).ifPresent(revisions::add);
    }
    revisions.sort(comparing(FunctionBrn::toString));
    return List.copyOf(revisions);
  }

  /// The revisions of one function: `$LATEST`, then the numbered ones ascending.
  ///
  /// @param function without a version
  List<FunctionBrn> list(FunctionBrn function) throws IOException {
    String prefix = function + ":";
    List<FunctionBrn> revisions = new ArrayList<>();
    for (Path entry : disk.children(directory)) {
      if (entry.getFileName().toString().startsWith(prefix)) {
        revision(entry).ifPresent(revisions::add);
      }
    }
    revisions.sort(comparingLong(RevisionFiles::number));
    return List.copyOf(revisions);
  }

  /// The number of a version; 0 for `$LATEST`.
  static long number(FunctionBrn revision) {
    return revision.qualifier() instanceof Qualifier.Version version && !version.isLatest()
        ? Long.parseLong(version.text())
        : 0;
  }

  /// The stored document, with its code where it is now.
  ///
  /// @throws StoreException when there is one but it cannot be read
  Optional<FunctionDocument> read(FunctionBrn revision) {
    Path target = directoryOf(revision);
    Path meta = target.resolve(META);
    if (!Files.exists(meta, NOFOLLOW_LINKS)) {
      return Optional.empty();
    }
    try {
      FunctionDocument document =
          Json.PASCAL.read(new SmallFile(meta).bytes(), FunctionDocument.class);
      checkWhole(document);
      Path name = Path.of(document.code().location()).getFileName();
      boolean isHere = FILESYSTEM.equals(document.code().repositoryType()) && name != null;
      return Optional.of(isHere ? withCode(document, target.resolve(name)) : document);
    } catch (IOException | JsonException | IllegalArgumentException e) {
      throw new StoreException(ErrorCode.SERVICE, "read " + meta + ": " + e.getMessage(), e);
    }
  }

  /// Members without which a document is of no use, and that a damaged one may lack.
  private static void checkWhole(FunctionDocument document) {
    @Nullable FunctionCode code = document.code();
    @Nullable FunctionConfiguration configuration = document.configuration();
    if (code == null
        || code.location() == null
        || configuration == null
        || configuration.functionName() == null
        || configuration.handler() == null) {
      throw new IllegalArgumentException("no document of a function");
    }
    String sha256 = requireNonNullElse(configuration.codeSha256(), "");
    if (Base64.getDecoder().decode(sha256).length != SHA256_BYTES) {
      throw new IllegalArgumentException("CodeSha256: \"" + sha256 + "\"");
    }
    FunctionBrn.parse(requireNonNullElse(configuration.functionArn(), ""));
  }

  /// What a change of a revision takes, at most, before it frees what was there.
  ///
  /// @param code the zip
  DiskUse need(FunctionBrn revision, FunctionDocument document, Path code) throws IOException {
    Path stored = directoryOf(revision).resolve(codeName(document.configuration().codeSha256()));
    DiskUse need =
        DiskUse.ofDirectory(0, block)
            .plus(DiskUse.ofFile(Json.PASCAL.write(document).length, block));
    boolean isShared = code.startsWith(directory) && !code.startsWith(incoming);
    return isShared || Files.exists(stored)
        ? need
        : need.plus(DiskUse.ofFile(Files.size(code), block));
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
    Path codeDraft = incoming.resolve(UUID.randomUUID() + ".zip");
    FunctionDocument whole = withCode(document, stored);
    Optional<Path> previous = codeOf(revision);
    boolean isNew = !Files.exists(meta, NOFOLLOW_LINKS);
    boolean codeIsNew = !Files.exists(stored);
    boolean _ = replaced.release(stored); // Before anything can fail: it is never to be removed.
    previous.ifPresent(replaced::release);
    try {
      disk.createDirectories(target);
      disk.sync(directory);
      if (code.startsWith(incoming)) {
        // Also over one of the same name, which may be damaged: an upload mends it.
        disk.link(code, codeDraft);
        disk.move(codeDraft, stored);
      } else if (codeIsNew) {
        disk.link(code, stored);
      }
      disk.sync(target);
      disk.write(draft, Json.PASCAL.write(whole));
      SmallFile.clear(meta);
      disk.move(draft, meta);
    } catch (IOException e) {
      disk.discard(draft);
      disk.discard(codeDraft);
      if (codeIsNew) {
        disk.discard(stored);
      }
      if (isNew) {
        discardEmpty(target);
      }
      throw e;
    }
    disk.sync(target);
    prune(revision, stored, previous);
    return whole;
  }

  /// Removes a revision, if it is there, from one moment to the next: when its document goes. Needs
  /// no room, so that a full disk can be emptied.
  void remove(FunctionBrn revision) throws IOException {
    Path target = directoryOf(revision);
    if (Files.exists(target, NOFOLLOW_LINKS)) {
      disk.deleteTree(target.resolve(META));
      disk.sync(target);
      disk.discard(target);
      disk.sync(directory);
    }
  }

  /// Removes what a killed process was writing or removing. What cannot be removed is logged.
  void sweep() throws IOException {
    for (Path left : disk.children(incoming)) {
      LOG.info("removing {}, left by a process that was killed", left);
      disk.discard(left);
    }
    for (Path entry : disk.children(directory)) {
      if (entry.getFileName().toString().startsWith("brn:")
          && Files.isDirectory(entry, NOFOLLOW_LINKS)
          && !Files.exists(entry.resolve(META), NOFOLLOW_LINKS)) {
        try {
          removeIncomplete(entry);
        } catch (IOException e) {
          LOG.warn("remove {}: {}; the next start tries again", entry, e.toString());
        }
      }
    }
  }

  /// A directory without a document was never a revision; what is not ours in it stays.
  private void removeIncomplete(Path target) throws IOException {
    for (Path file : disk.children(target)) {
      if (isCode(file) && !file.endsWith(LEGACY_CODE)) {
        disk.delete(file);
      }
    }
    if (disk.children(target).isEmpty()) {
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

  private void prune(FunctionBrn revision, Path current, Optional<Path> previous) {
    Path target = directoryOf(revision);
    try {
      for (Path file : disk.children(target)) {
        if (isCode(file) && !file.equals(current) && !previous.equals(Optional.of(file))) {
          replaced.keep(revision, file, Files.size(file));
        }
      }
    } catch (IOException e) {
      LOG.warn("remove old code in {}: {}; the next change tries again", target, e.toString());
    }
  }

  private void discardEmpty(Path target) {
    try {
      disk.delete(target);
    } catch (IOException e) {
      LOG.warn("remove {}: {}; the next start does it", target, e.toString());
    }
  }

  private Path directoryOf(FunctionBrn revision) {
    return directory.resolve(revision.toString());
  }

  private static Optional<FunctionBrn> revision(Path entry) {
    String name = entry.getFileName().toString();
    if (!name.startsWith("brn:") || !Files.exists(entry.resolve(META), NOFOLLOW_LINKS)) {
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
