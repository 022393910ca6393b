package io.easyfaas.stubs.store;

import static io.easyfaas.stubs.store.StoreFixture.brn;
import static io.easyfaas.stubs.store.StoreFixture.codeOf;
import static io.easyfaas.stubs.store.StoreFixture.document;
import static io.easyfaas.stubs.store.StoreFixture.put;
import static io.easyfaas.stubs.store.StoreFixture.stage;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.brn.Account;
import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.brn.Qualifier;
import io.easyfaas.common.disk.DiskUse;
import io.easyfaas.common.function.FunctionDocument;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Code that was replaced, for those who were told of it before.
final class ReplacedCodeTest {
  private static final FunctionBrn LATEST = brn("hello", "$LATEST");

  @TempDir private Path directory = Path.of("");

  private final AtomicLong nanos = new AtomicLong();
  private final List<FunctionStore> opened = new ArrayList<>();

  @AfterEach
  void close() {
    opened.forEach(FunctionStore::close);
  }

  @Test
  void staysForTwoMinutesHoweverManyChangesFollow() {
    FunctionStore store = open(StoreLimits.NONE);
    List<FunctionDocument> revisions = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      revisions.add(put(store, LATEST, "revision " + i));
    }

    pass(store, Duration.ofSeconds(119));
    for (int i = 0; i < 10; i++) {
      assertThat(codeOf(revisions.get(i))).isEqualTo("revision " + i);
    }
    pass(store, Duration.ofSeconds(1));

    // The one that was replaced last stays until the next change.
    assertThat(revisions.subList(0, 8)).noneMatch(ReplacedCodeTest::isThere);
    assertThat(revisions.subList(8, 10)).allMatch(ReplacedCodeTest::isThere);
  }

  @Test
  void goesAtOnceWhenThereIsTooMuchOfIt() {
    FunctionStore store = open(StoreLimits.NONE);
    List<FunctionDocument> revisions = new ArrayList<>();
    for (int i = 0; i < ReplacedCode.MAX_PACKAGES + 5; i++) {
      revisions.add(put(store, LATEST, "revision " + i));
    }

    store.tidy();

    // The current one and the one before it are not counted.
    assertThat(revisions.subList(0, 3)).noneMatch(ReplacedCodeTest::isThere);
    assertThat(revisions.subList(3, revisions.size())).allMatch(ReplacedCodeTest::isThere);
  }

  @Test
  void ofTheAccountThatHasMostGoesFirst() {
    FunctionStore store = open(StoreLimits.NONE);
    FunctionBrn other = FunctionBrn.of(new Account("other"), "quiet", Qualifier.LATEST);
    List<FunctionDocument> quiet = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      quiet.add(put(store, other, "revision " + i));
    }
    List<FunctionDocument> busy = new ArrayList<>();
    for (int i = 0; i < ReplacedCode.MAX_PACKAGES + 5; i++) {
      busy.add(put(store, LATEST, "revision " + i));
    }

    store.tidy();

    assertThat(quiet).allMatch(ReplacedCodeTest::isThere);
    assertThat(busy.getFirst()).matches(document -> !isThere(document));
  }

  @Test
  void whatCannotBeRemovedKeepsNothingElse() {
    List<Path> removed = new ArrayList<>();
    ReplacedCode replaced =
        new ReplacedCode(
            code -> {
              if (removed.isEmpty()) {
                removed.add(code.file());
                throw new IllegalStateException("a disk that nobody thought of");
              }
              removed.add(code.file());
            },
            nanos::get);
    replaced.keep(LATEST, Path.of("one"), 1);
    replaced.keep(LATEST, Path.of("two"), 1);
    nanos.addAndGet(ReplacedCode.KEPT.toNanos());

    replaced.tidy();

    assertThat(removed).containsExactly(Path.of("one"), Path.of("two"));
    assertThat(replaced.release(Path.of("one"))).isFalse();
  }

  @Test
  void givesWayOnlyToWhatLacksItsRoom() {
    FailingDisk disk = FailingDisk.neverFails();
    FunctionStore store = FunctionStore.open(directory, StoreLimits.NONE, disk, nanos::get);
    opened.add(store);
    List<FunctionDocument> revisions = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      revisions.add(put(store, LATEST, "revision " + i));
    }
    Path missing = directory.resolve("missing.zip");

    try (FunctionStore.Lock _ = store.lock(LATEST)) {
      FunctionDocument other = document(LATEST, "other", "A".repeat(43) + "=");
      assertThatThrownBy(() -> store.put(LATEST, other, missing))
          .isInstanceOf(StoreException.class);
    }

    assertThat(revisions).allMatch(ReplacedCodeTest::isThere);
  }

  @Test
  void goesAtOnceWhenItIsTooLarge() {
    FunctionStore store = open(StoreLimits.NONE);
    String half = "x".repeat((int) ReplacedCode.MAX_BYTES / 2 - 1);
    List<Path> packages = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      try (FunctionStore.Lock _ = store.lock(LATEST);
          StagedCode code = stage(store, half + i)) {
        FunctionDocument stored =
            store.put(LATEST, document(LATEST, "large", code.sha256()), code.path());
        packages.add(Path.of(stored.code().location()));
      }
    }

    store.tidy();

    assertThat(packages.getFirst()).doesNotExist();
    assertThat(packages.subList(1, 5)).allMatch(Files::exists);
  }

  @Test
  void isNeverRemovedOnceItIsInUseAgain() {
    FunctionStore store = open(StoreLimits.NONE);
    for (String code : List.of("one", "two", "three", "one", "four", "one")) {
      var _ = put(store, LATEST, code);
    }

    pass(store, Duration.ofMinutes(3));
    assertThat(codeOf(store.find(LATEST).orElseThrow())).isEqualTo("one");
    var _ = put(store, LATEST, "five");
    pass(store, Duration.ofMinutes(3));

    assertThat(codeOf(store.find(LATEST).orElseThrow())).isEqualTo("five");
    assertThat(codes()).isEqualTo(2);
  }

  @Test
  void givesWayToWhatIsStored() {
    long block = blockSize();
    DiskUse room = new DiskUse(7 * block, 100); // One of a document, one of a directory.
    FunctionStore store = open(new StoreLimits(room, room));
    for (int i = 0; i < 12; i++) {
      var _ = put(store, LATEST, "revision " + i);
    }

    assertThat(codeOf(store.find(LATEST).orElseThrow())).isEqualTo("revision 11");
  }

  @Test
  void goesByItselfAndWithItsFunction() throws Exception {
    FunctionStore store = FunctionStore.open(directory, StoreLimits.NONE);
    opened.add(store);
    for (int i = 0; i < ReplacedCode.MAX_PACKAGES + 10; i++) {
      var _ = put(store, LATEST, "revision " + i);
    }
    long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (codes() > ReplacedCode.MAX_PACKAGES + 2) {
      assertThat(System.nanoTime()).describedAs("%d packages", codes()).isLessThan(deadline);
      Thread.sleep(1);
    }

    try (FunctionStore.Lock _ = store.lock(LATEST)) {
      store.delete(LATEST);
    }

    assertThat(codes()).isZero();
    try (StagedCode _ = stage(store, "x")) {
      assertThat(store.find(LATEST)).isEmpty();
    }
  }

  private FunctionStore open(StoreLimits limits) {
    FunctionStore store = FunctionStore.open(directory, limits, new LocalDisk(), nanos::get);
    opened.add(store);
    return store;
  }

  private void pass(FunctionStore store, Duration time) {
    nanos.addAndGet(time.toNanos());
    store.tidy();
  }

  private long blockSize() {
    try {
      return DiskUse.blockSize(directory);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private long codes() {
    Path revision = directory.resolve(LATEST.toString());
    if (!Files.exists(revision)) {
      return 0;
    }
    try (Stream<Path> files = Files.list(revision)) {
      return files.filter(file -> file.toString().endsWith(".zip")).count();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static boolean isThere(FunctionDocument document) {
    return Files.exists(Path.of(document.code().location()));
  }
}
