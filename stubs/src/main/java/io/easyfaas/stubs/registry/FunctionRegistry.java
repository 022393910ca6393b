package io.easyfaas.stubs.registry;

import static io.easyfaas.stubs.registry.FunctionLimits.invalid;
import static io.easyfaas.stubs.registry.FunctionLimits.quoted;
import static java.util.Comparator.comparing;
import static java.util.Objects.requireNonNullElse;

import io.easyfaas.common.brn.Account;
import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.brn.Qualifier;
import io.easyfaas.common.function.FunctionConfiguration;
import io.easyfaas.common.function.FunctionDocument;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.stubs.registry.RevisionDocuments.Stamp;
import io.easyfaas.stubs.registry.RevisionDocuments.Zip;
import io.easyfaas.stubs.store.CodeDraft;
import io.easyfaas.stubs.store.FunctionStore;
import io.easyfaas.stubs.store.StagedCode;
import java.nio.file.Path;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What may be done with functions, and by whom. Thread-safe.
///
/// Everyone may read every function: the engine reads on behalf of all callers, and checks the
/// owner itself when a function is called. Only the owner changes it. The owner of a function is
/// the account in its BRN.
///
/// Every change gives a revision a new commit id, by which the engine tells revisions apart, and is
/// told to the listener after it is durable, with no lock held.
public final class FunctionRegistry {
  private static final Logger LOG = LoggerFactory.getLogger(FunctionRegistry.class);

  // There may be one of a name in each region.
  private static final Comparator<FunctionBrn> BY_NAME =
      comparing(FunctionBrn::name).thenComparing(FunctionBrn::toString);

  private final FunctionStore store;
  private final RuntimeCatalog runtimes;
  private final InstantSource clock;
  private final Consumer<FunctionBrn> listener;
  private final byte[] defaultCode = CodePackage.helloWorld();

  /// Creates the rules over a store.
  ///
  /// @param listener called with each revision that was changed or removed
  public FunctionRegistry(
      FunctionStore store,
      RuntimeCatalog runtimes,
      InstantSource clock,
      Consumer<FunctionBrn> listener) {
    this.store = store;
    this.runtimes = runtimes;
    this.clock = clock;
    this.listener = listener;
  }

  /// Creates a revision, or replaces it as a whole. Members that are absent, empty or 0 get their
  /// defaults.
  ///
  /// @param named a BRN; without a version the settings' version counts, and after that `$LATEST`
  /// @param request read once it is clear that the caller may
  FunctionDocument create(Account caller, FunctionBrn named, Supplier<FunctionUpload> request) {
    checkOwner(caller, named);
    FunctionBrn revision;
    FunctionDocument stored;
    try (FunctionUpload upload = request.get();
        StagedCode code = orDefault(upload.code())) {
      revision = revisionToWrite(named, upload.settings().version());
      Zip zip = new Zip(code.sha256(), code.size());
      FunctionDocument document =
          RevisionDocuments.created(revision, caller.id(), upload.settings(), zip, newStamp());
      FunctionLimits.check(document.configuration(), document.tags());
      checkRuntime(document);
      try (FunctionStore.Lock _ = store.lock(revision)) {
        stored = store.put(revision, document, code.path());
      }
    }
    changed(revision);
    return stored;
  }

  /// Changes the members of a revision that the request has; when it has none, nothing.
  ///
  /// @param request read once it is clear that the caller may, and that there is such a revision
  /// @throws ApiException RESOURCE_NOT_FOUND when there is none
  FunctionDocument update(Account caller, FunctionBrn named, Supplier<FunctionUpload> request) {
    checkOwner(caller, named);
    FunctionBrn revision = revisionToWrite(named, null);
    FunctionDocument before = get(revision);
    FunctionDocument after;
    try (FunctionUpload upload = request.get()) {
      if (upload.isEmpty()) {
        return before;
      }
      if (upload.code() != null && upload.code().size() == 0) {
        throw invalid("Code", "0 bytes", "a zip");
      }
      after = change(revision, upload.settings(), upload.code());
    }
    changed(revision);
    return after;
  }

  /// A revision; without a qualifier `$LATEST`.
  ///
  /// @throws ApiException RESOURCE_NOT_FOUND when there is no such revision. There are no aliases
  ///   here, so none is found
  FunctionDocument get(FunctionBrn named) {
    FunctionBrn revision =
        named.qualifier() instanceof Qualifier.Absent
            ? named.withQualifier(Qualifier.LATEST)
            : named;
    if (!(revision.qualifier() instanceof Qualifier.Version)) {
      throw notFound(revision);
    }
    return store.find(revision).orElseThrow(() -> notFound(revision));
  }

  /// The caller's functions by name: of each `$LATEST`, or its highest version where there is none.
  ///
  /// @param after a function, by name or BRN, or empty; only what comes after it is listed
  List<FunctionBrn> list(Account caller, String after) {
    Optional<FunctionBrn> last =
        after.isEmpty() ? Optional.empty() : Optional.of(FunctionBrn.resolve(after, caller));
    Map<FunctionBrn, FunctionBrn> shown = new TreeMap<>(BY_NAME);
    for (FunctionBrn revision : store.revisions()) {
      FunctionBrn function = revision.unqualified();
      if (revision.account().equals(caller.hash())
          && last.filter(before -> BY_NAME.compare(function, before) <= 0).isEmpty()) {
        shown.merge(function, revision, FunctionRegistry::moreCurrent);
      }
    }
    return List.copyOf(shown.values());
  }

  /// The revisions of one function: `$LATEST`, then versions ascending.
  ///
  /// @param after a version, or empty; only what comes after it is listed
  /// @throws ApiException RESOURCE_NOT_FOUND when there is no such function
  List<FunctionBrn> versions(FunctionBrn function, String after) {
    List<FunctionBrn> versions = store.revisions(function);
    if (versions.isEmpty()) {
      throw notFound(function);
    }
    if (after.isEmpty()) {
      return versions;
    }
    long last = after.equals("$LATEST") ? 0 : versionNumber(after);
    return versions.stream()
        .filter(revision -> !revision.qualifier().equals(Qualifier.LATEST))
        .filter(revision -> Long.parseLong(revision.qualifier().toString()) > last)
        .toList();
  }

  /// What is listed of a revision; empty when it is gone, or cannot be read.
  Optional<FunctionConfiguration> configuration(FunctionBrn revision) {
    return store.findReadable(revision).map(FunctionDocument::configuration);
  }

  /// Removes one revision, or without a qualifier the whole function.
  ///
  /// @throws ApiException RESOURCE_NOT_FOUND when there is nothing to remove
  void delete(Account caller, FunctionBrn named) {
    checkOwner(caller, named);
    List<FunctionBrn> removed;
    try (FunctionStore.Lock _ = store.lock(named)) {
      List<FunctionBrn> revisions = store.revisions(named);
      if (named.qualifier() instanceof Qualifier.Absent && !revisions.isEmpty()) {
        removed = store.deleteAll(named);
      } else {
        removed = revisions.stream().filter(named::equals).toList();
        removed.forEach(store::delete);
      }
    }
    if (removed.isEmpty()) {
      throw notFound(named);
    }
    removed.forEach(this::changed);
  }

  /// Makes `$LATEST` a version that does not change any more, with the number after the highest
  /// ever used. When nothing changed since the highest version, that one is the answer.
  ///
  /// @param description of the version; absent means that of `$LATEST`
  /// @throws ApiException RESOURCE_NOT_FOUND when there is no `$LATEST`
  FunctionConfiguration publish(
      Account caller, FunctionBrn function, @Nullable String description) {
    checkOwner(caller, function);
    FunctionBrn revision;
    FunctionDocument published;
    try (FunctionStore.Lock _ = store.lock(function)) {
      FunctionBrn source = function.withQualifier(Qualifier.LATEST);
      FunctionDocument latest = get(source);
      List<FunctionBrn> revisions = store.revisions(function);
      if (!revisions.contains(source)) { // Its directory was removed by hand.
        store.delete(source); // What is remembered of it.
        throw notFound(source);
      }
      Optional<FunctionDocument> highest =
          store
              .findReadable(revisions.getLast())
              .filter(document -> !document.configuration().versionOrDefault().equals("$LATEST"));
      if (highest.isPresent() && RevisionDocuments.sameContent(highest.get(), latest)) {
        return highest.get().configuration();
      }
      store.checkCode(latest);
      String number = Long.toString(store.highestNumber(function) + 1);
      revision = function.withQualifier(new Qualifier.Version(number));
      published = RevisionDocuments.published(latest, revision, description, newStamp());
      FunctionLimits.check(published.configuration(), published.tags());
      store.put(revision, published, Path.of(latest.code().location()));
    }
    changed(revision);
    return published.configuration();
  }

  private FunctionDocument change(
      FunctionBrn revision, FunctionSettings settings, @Nullable StagedCode code) {
    try (FunctionStore.Lock _ = store.lock(revision)) {
      FunctionDocument before = get(revision);
      Zip zip = code == null ? Zip.of(before) : new Zip(code.sha256(), code.size());
      FunctionDocument after = RevisionDocuments.updated(before, settings, zip, newStamp());
      FunctionLimits.check(after.configuration(), after.tags());
      if (settings.runtime() != null) {
        checkRuntime(after);
      }
      return store.put(
          revision, after, code == null ? Path.of(before.code().location()) : code.path());
    }
  }

  private StagedCode orDefault(@Nullable StagedCode given) {
    if (given != null && given.size() > 0) {
      return given;
    }
    try (CodeDraft draft = store.stage()) {
      draft.write(defaultCode, 0, defaultCode.length);
      return draft.finish();
    }
  }

  private void checkRuntime(FunctionDocument document) {
    String runtime = requireNonNullElse(document.configuration().runtime(), "");
    if (runtimes.find(runtime).isEmpty()) {
      throw invalid("Runtime", quoted(runtime), runtimes.expected());
    }
  }

  private void changed(FunctionBrn revision) {
    LOG.info("changed {}", revision);
    try {
      listener.accept(revision);
    } catch (RuntimeException e) { // The change is stored whatever a listener makes of it.
      LOG.error("a listener failed on {}", revision, e);
    }
  }

  private Stamp newStamp() {
    return new Stamp(
        UUID.randomUUID().toString(), clock.instant().truncatedTo(ChronoUnit.MILLIS).toString());
  }

  private static void checkOwner(Account caller, FunctionBrn brn) {
    if (!brn.account().equals(caller.hash())) {
      throw new ApiException(
          ErrorCode.INVALID_CALLER,
          brn + " belongs to another account (caller: " + quoted(caller.id()) + ")");
    }
  }

  private static FunctionBrn revisionToWrite(FunctionBrn named, @Nullable String version) {
    FunctionBrn revision = revisionMeant(named, version);
    if (revision.qualifier().toString().startsWith("0")) { // Else 7 and 007 were two versions.
      throw invalid(
          "Version",
          quoted(revision.qualifier().toString()),
          "$LATEST, or digits that do not start with 0");
    }
    return revision;
  }

  private static FunctionBrn revisionMeant(FunctionBrn named, @Nullable String version) {
    return switch (named.qualifier()) {
      case Qualifier.Version _ -> named;
      case Qualifier.Alias alias ->
          throw invalid("Version", quoted(alias.text()), "$LATEST or digits");
      case Qualifier.Absent _ ->
          named.withQualifier(
              version == null || version.isEmpty()
                  ? Qualifier.LATEST
                  : new Qualifier.Version(version));
    };
  }

  private static long versionNumber(String marker) {
    if (!marker.matches("[0-9]{1,18}")) {
      throw invalid("Marker", quoted(marker), "$LATEST or digits");
    }
    return Long.parseLong(marker);
  }

  private static FunctionBrn moreCurrent(FunctionBrn one, FunctionBrn other) {
    if (one.qualifier().equals(Qualifier.LATEST)) {
      return one;
    }
    if (other.qualifier().equals(Qualifier.LATEST)) {
      return other;
    }
    long number = Long.parseLong(one.qualifier().toString());
    return number >= Long.parseLong(other.qualifier().toString()) ? one : other;
  }

  private static ApiException notFound(FunctionBrn brn) {
    return new ApiException(ErrorCode.RESOURCE_NOT_FOUND, "not found function " + brn);
  }
}
