package io.easyfaas.stubs.store;

import static io.easyfaas.stubs.store.StoreFixture.brn;
import static io.easyfaas.stubs.store.StoreFixture.codeOf;
import static io.easyfaas.stubs.store.StoreFixture.put;
import static io.easyfaas.stubs.store.StoreFixture.tree;
import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.function.FunctionDocument;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Pulls the plug, and fills the disk, before every single write of every change, and looks at what
/// is there afterwards.
final class FunctionStoreCrashTest {
  private static final FunctionBrn LATEST = brn("hello", "$LATEST");
  private static final FunctionBrn ONE = brn("hello", "1");
  private static final FunctionBrn NEIGHBOUR = brn("neighbour", "$LATEST");
  private static final int MORE_THAN_ANY_CHANGE_NEEDS = 50;

  @TempDir private Path temporary = Path.of("");

  /// What a change does, and which states of `hello` may be found when it was interrupted. A state
  /// is the sorted list of revisions with their code.
  enum Change {
    CREATE("[2=new]", "[]") {
      @Override
      void apply(FunctionStore store) {
        put(store, brn("hello", "2"), "new");
      }

      @Override
      void prepare(FunctionStore store) {
        // Starts from nothing.
      }
    },
    REPLACE("[$LATEST=new, 1=old]", "[$LATEST=old, 1=old]") {
      @Override
      void apply(FunctionStore store) {
        put(store, LATEST, "new");
      }
    },
    REPLACE_WITH_THE_SAME_CODE("[$LATEST=old, 1=old]", "[$LATEST=old, 1=old]") {
      @Override
      void apply(FunctionStore store) {
        put(store, LATEST, "old");
      }
    },
    DELETE_ONE("[$LATEST=old]", "[$LATEST=old, 1=old]") {
      @Override
      void apply(FunctionStore store) {
        try (FunctionStore.Lock _ = store.lock(ONE)) {
          store.delete(ONE);
        }
      }
    },
    DELETE_ALL("[]", "[$LATEST=old, 1=old]") {
      @Override
      void apply(FunctionStore store) {
        try (FunctionStore.Lock _ = store.lock(ONE)) {
          store.deleteAll(ONE);
        }
      }
    },
    DELETE_AND_CREATE("[$LATEST=new]", "[]", "[$LATEST=old, 1=old]") {
      @Override
      void apply(FunctionStore store) {
        DELETE_ALL.apply(store);
        put(store, LATEST, "new");
      }
    };

    private final String done;

    @SuppressWarnings("ImmutableEnumChecker") // Never changed after the constructor.
    private final Set<String> allowed;

    Change(String done, String... interrupted) {
      this.done = done;
      this.allowed = new TreeSet<>(List.of(interrupted));
      this.allowed.add(done);
    }

    void prepare(FunctionStore store) {
      put(store, LATEST, "old");
      put(store, ONE, "old");
    }

    abstract void apply(FunctionStore store);
  }

  @ParameterizedTest
  @EnumSource
  void aStopAtAnyWriteLeavesTheOldOrTheNewState(Change change) {
    interruptEverywhere(
        change,
        FailingDisk::stopsAt,
        directory -> {
          try (FunctionStore store =
              FunctionStore.open(directory, StoreLimits.NONE, FailingDisk.neverFails())) {
            assertState(change, store);
            assertNothingIsLeftOver(directory);
          }
        });
  }

  @ParameterizedTest
  @EnumSource
  void aFullDiskAtAnyWriteLosesNothingAndTheChangeCanBeMadeAgain(Change change) {
    interruptEverywhere(
        change,
        FailingDisk::fullAt,
        directory -> {
          try (FunctionStore store =
              FunctionStore.open(directory, StoreLimits.NONE, FailingDisk.neverFails())) {
            if (change != Change.DELETE_ALL && change != Change.DELETE_AND_CREATE) {
              assertState(change, store);
            }
            change.apply(store);

            assertThat(stateOf(store)).isEqualTo(change.done);
            assertNothingIsLeftOver(directory);
          }
        });
  }

  @Test
  void aFunctionCreatedAfterAFailedDeletionIsNotDeletedByTheNextStart() {
    int failedDeletions = 0;
    for (int at = 0; at < MORE_THAN_ANY_CHANGE_NEEDS; at++) {
      Path directory = temporary.resolve(Integer.toString(at));
      try (FunctionStore store =
          FunctionStore.open(directory, StoreLimits.NONE, FailingDisk.neverFails())) {
        Change.REPLACE.prepare(store);
      }
      boolean created = false;
      try (FunctionStore store =
          FunctionStore.open(directory, StoreLimits.NONE, FailingDisk.fullAt(at))) {
        try {
          Change.DELETE_ALL.apply(store);
        } catch (StoreException _) {
          failedDeletions++;
        }
        put(store, LATEST, "new");
        created = true;
      } catch (StoreException _) {
        // The start or the creation failed instead; nothing was promised.
      }

      try (FunctionStore store =
          FunctionStore.open(directory, StoreLimits.NONE, FailingDisk.neverFails())) {
        if (created) {
          assertThat(codeOf(store.find(LATEST).orElseThrow())).as("at " + at).isEqualTo("new");
        }
      }
    }
    assertThat(failedDeletions).isGreaterThan(3);
  }

  /// Runs a change on a fresh directory once for each of its writes, which then fails.
  private void interruptEverywhere(
      Change change, IntFunction<FailingDisk> disks, Consumer<Path> check) {
    int failures = 0;
    for (int at = 0; at < MORE_THAN_ANY_CHANGE_NEEDS; at++) {
      Path directory = temporary.resolve(change + "-" + at);
      try (FunctionStore store =
          FunctionStore.open(directory, StoreLimits.NONE, FailingDisk.neverFails())) {
        change.prepare(store);
        put(store, NEIGHBOUR, "untouched");
      }
      FailingDisk disk = disks.apply(at);
      try (FunctionStore store = FunctionStore.open(directory, StoreLimits.NONE, disk)) {
        change.apply(store);
      } catch (StoreException _) {
        failures++;
      }
      check.accept(directory);
      if (!disk.hasFailed()) {
        assertThat(failures).as("writes that were made to fail").isGreaterThan(5);
        return;
      }
    }
    throw new AssertionError("the change never got through");
  }

  private static void assertState(Change change, FunctionStore store) {
    assertThat(change.allowed).contains(stateOf(store));
    assertThat(codeOf(store.find(NEIGHBOUR).orElseThrow())).isEqualTo("untouched");
  }

  private static String stateOf(FunctionStore store) {
    return store.revisions(LATEST).stream()
        .map(revision -> revision.qualifier() + "=" + whole(store.find(revision).orElseThrow()))
        .toList()
        .toString();
  }

  /// The code, after checking that it is the one the document was written for.
  private static String whole(FunctionDocument document) {
    String code = codeOf(document);
    assertThat(document.configuration().description()).isEqualTo(code);
    return code;
  }

  private static void assertNothingIsLeftOver(Path directory) {
    assertThat(tree(directory.resolve(".incoming"))).isEmpty();
    assertThat(tree(directory.resolve(".deleting"))).isEmpty();
    try (Stream<Path> entries = Files.list(directory)) {
      assertThat(entries.filter(path -> path.getFileName().toString().startsWith("brn:")))
          .allSatisfy(revision -> assertThat(revision.resolve("meta.json")).exists());
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
