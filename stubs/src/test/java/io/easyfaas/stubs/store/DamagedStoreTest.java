package io.easyfaas.stubs.store;

import static io.easyfaas.stubs.store.StoreFixture.brn;
import static io.easyfaas.stubs.store.StoreFixture.codeOf;
import static io.easyfaas.stubs.store.StoreFixture.put;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.disk.Damage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Every file the store reads of its own, replaced by everything that may be found there.
final class DamagedStoreTest {
  private static final FunctionBrn LATEST = brn("hello", "$LATEST");
  private static final FunctionBrn SEVEN = brn("hello", "7");
  private static final FunctionBrn NEIGHBOUR = brn("neighbour", "1");

  @TempDir private Path directory = Path.of("");

  @SuppressWarnings("NullAway.Init")
  private FunctionStore store;

  @BeforeEach
  void open() {
    store = FunctionStore.open(directory, StoreLimits.NONE);
    put(store, LATEST, "latest");
    put(store, SEVEN, "seven");
    put(store, NEIGHBOUR, "neighbour");
  }

  @AfterEach
  void close() {
    store.close();
  }

  @Test
  void damagedCodeIsMendedByTheSameUpload() throws IOException {
    Path code = Path.of(store.find(SEVEN).orElseThrow().code().location());
    Files.writeString(code, "damaged");

    assertThat(codeOf(put(store, SEVEN, "seven"))).isEqualTo("seven");

    assertThat(StoreFixture.tree(directory.resolve(SEVEN.toString()))).hasSize(2);
    assertThat(directory.resolve(".incoming")).isEmptyDirectory();
  }

  @ParameterizedTest
  @EnumSource
  void aDamagedDocumentHarmsItsRevisionOnly(Damage damage) throws IOException {
    Path meta = directory.resolve(SEVEN + "/meta.json");
    damage.to(meta);
    reopen();

    assertThat(store.revisions()).contains(LATEST, SEVEN, NEIGHBOUR);
    assertThat(store.findReadable(SEVEN)).isEmpty();
    assertThat(store.findReadable(LATEST)).isPresent();
    assertThatThrownBy(() -> store.find(SEVEN))
        .isInstanceOf(StoreException.class)
        .hasMessageStartingWith("read " + meta + ": ");
    assertThat(store.highestNumber(SEVEN)).isEqualTo(7);

    assertThat(codeOf(put(store, SEVEN, "again"))).isEqualTo("again");
    theNeighbourIsThere();
  }

  @ParameterizedTest
  @EnumSource
  void aFunctionWithADamagedDocumentCanBeDeleted(Damage damage) throws IOException {
    damage.to(directory.resolve(SEVEN + "/meta.json"));
    reopen();

    delete(SEVEN);

    assertThat(store.revisions()).containsExactly(LATEST, NEIGHBOUR);
    assertThat(directory.resolve(SEVEN.toString())).doesNotExist();
  }

  @ParameterizedTest
  @EnumSource
  void aDamagedNumberDoesNotKeepAFunctionFromBeingChangedOrDeleted(Damage damage)
      throws IOException {
    damage.to(directory.resolve(".numbers/" + LATEST.unqualified()));
    reopen();

    assertThat(store.highestNumber(LATEST)).isIn(7L, 9L);
    put(store, LATEST, "new");
    delete(SEVEN);
    assertThat(store.highestNumber(LATEST)).isEqualTo(7);
    deleteAll(LATEST);

    assertThat(store.revisions()).containsExactly(NEIGHBOUR);
    theNeighbourIsThere();
  }

  @ParameterizedTest
  @EnumSource
  void aDamagedMarkOfADeletionIsFinishedOrLeftOut(Damage damage) throws IOException {
    damage.to(directory.resolve(".deleting/" + LATEST.unqualified()));
    damage.to(directory.resolve(".deleting/\u0001 no name of a function"));
    reopen();

    assertThat(store.revisions()).containsExactly(NEIGHBOUR);
    assertThat(codeOf(put(store, LATEST, "new"))).isEqualTo("new");
    theNeighbourIsThere();
  }

  @ParameterizedTest
  @EnumSource
  void whateverIsInTheWayOfTheStoresOwnDirectoriesIsRemoved(Damage damage) throws IOException {
    store.close();
    for (String own : new String[] {".incoming", ".deleting", ".numbers"}) {
      io.easyfaas.common.disk.DiskTree.delete(directory.resolve(own));
      damage.to(directory.resolve(own));
    }
    store = FunctionStore.open(directory, StoreLimits.NONE);

    assertThat(codeOf(put(store, LATEST, "new"))).isEqualTo("new");
    delete(SEVEN);
    deleteAll(LATEST);
    theNeighbourIsThere();
  }

  @ParameterizedTest
  @EnumSource
  void aDamagedLockFileIsReplaced(Damage damage) throws IOException {
    store.close();
    damage.to(directory.resolve(".lock"));

    store = FunctionStore.open(directory, StoreLimits.NONE);

    theNeighbourIsThere();
    assertThat(directory.resolve("nowhere")).doesNotExist();
  }

  @ParameterizedTest
  @EnumSource
  void whatIsNoRevisionIsLeftAlone(Damage damage) throws IOException {
    damage.to(directory.resolve("brn:not one of ours"));
    damage.to(directory.resolve("README"));
    damage.to(directory.resolve(brn("hello", "3").toString()));
    reopen();

    assertThat(store.revisions()).containsExactly(LATEST, SEVEN, NEIGHBOUR);
    deleteAll(LATEST);
    assertThat(store.revisions()).containsExactly(NEIGHBOUR);
  }

  @ParameterizedTest
  @EnumSource
  void aDamagedZipIsNamedWhenItIsToBePublished(Damage damage) throws IOException {
    Path code = Path.of(store.find(LATEST).orElseThrow().code().location());
    damage.to(code);

    assertThatThrownBy(() -> store.checkCode(store.find(LATEST).orElseThrow()))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining(code.toString());
  }

  @Test
  void aZipThatIsWholeCanBePublished() {
    store.checkCode(store.find(LATEST).orElseThrow());
  }

  private void theNeighbourIsThere() {
    assertThat(codeOf(store.find(NEIGHBOUR).orElseThrow())).isEqualTo("neighbour");
  }

  private void delete(FunctionBrn revision) {
    try (FunctionStore.Lock _ = store.lock(revision)) {
      store.delete(revision);
    }
  }

  private void deleteAll(FunctionBrn function) {
    try (FunctionStore.Lock _ = store.lock(function)) {
      store.deleteAll(function);
    }
  }

  private void reopen() {
    store.close();
    store = FunctionStore.open(directory, StoreLimits.NONE);
  }
}
