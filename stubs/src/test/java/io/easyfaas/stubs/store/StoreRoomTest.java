package io.easyfaas.stubs.store;

import static io.easyfaas.stubs.store.StoreFixture.brn;
import static io.easyfaas.stubs.store.StoreFixture.codeOf;
import static io.easyfaas.stubs.store.StoreFixture.put;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.brn.Account;
import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.brn.Qualifier;
import io.easyfaas.common.disk.DiskUse;
import io.easyfaas.common.function.FunctionDocument;
import io.easyfaas.common.wire.ErrorCode;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class StoreRoomTest {
  private static final long MANY = 1_000_000_000;

  @TempDir private Path directory = Path.of("");
  private long block;

  @BeforeEach
  void measure() throws IOException {
    block = DiskUse.blockSize(directory);
  }

  @Test
  void anAccountHasRoomForItsBlocksAndOthersForTheirs() {
    // A function of one block of code takes three: its directory, its document and its code.
    StoreLimits limits = new StoreLimits(new DiskUse(MANY, MANY), new DiskUse(7 * block, MANY));
    try (FunctionStore store = FunctionStore.open(directory, limits)) {
      put(store, brn("a", "1"), "a");
      put(store, brn("b", "1"), "b");

      assertThatThrownBy(() -> put(store, brn("c", "1"), "c"))
          .isInstanceOf(StoreException.class)
          .hasMessage(
              "store "
                  + brn("c", "1").unqualified()
                  + ": the functions of an account would take "
                  + 9 * block
                  + " bytes and 9 inodes (expected: at most "
                  + 7 * block
                  + " bytes and "
                  + MANY
                  + " inodes, see --functions-account-size and --functions-account-inodes)")
          .extracting(failure -> ((StoreException) failure).code())
          .isEqualTo(ErrorCode.STORAGE_EXCEEDED);
      assertThat(store.revisions()).containsExactly(brn("a", "1"), brn("b", "1"));

      put(store, other("c"), "c");
    }
  }

  @Test
  void allTogetherHaveALimitOfInodes() {
    StoreLimits limits = new StoreLimits(new DiskUse(MANY, 6), new DiskUse(MANY, MANY));
    try (FunctionStore store = FunctionStore.open(directory, limits)) {
      put(store, brn("a", "1"), "a");
      put(store, other("b"), "b");

      assertThatThrownBy(() -> put(store, brn("c", "1"), "c"))
          .hasMessageContaining("the functions of all accounts would take")
          .hasMessageContaining("see --functions-size and --functions-inodes");
    }
  }

  @Test
  void whatIsDeletedMakesRoom() {
    StoreLimits limits = new StoreLimits(new DiskUse(MANY, 5), new DiskUse(MANY, MANY));
    try (FunctionStore store = FunctionStore.open(directory, limits)) {
      put(store, brn("a", "1"), "a");
      assertThatThrownBy(() -> put(store, brn("b", "1"), "b")).isInstanceOf(StoreException.class);

      try (FunctionStore.Lock _ = store.lock(brn("a", "1"))) {
        store.deleteAll(brn("a", "1"));
      }

      assertThat(codeOf(put(store, brn("b", "1"), "b"))).isEqualTo("b");
    }
  }

  @Test
  void whatIsThereCountsAfterARestart() {
    try (FunctionStore store = FunctionStore.open(directory, StoreLimits.NONE)) {
      put(store, brn("a", "1"), "a");
    }

    StoreLimits limits = new StoreLimits(new DiskUse(MANY, 5), new DiskUse(MANY, MANY));
    try (FunctionStore store = FunctionStore.open(directory, limits)) {
      assertThatThrownBy(() -> put(store, brn("b", "1"), "b")).isInstanceOf(StoreException.class);
    }
  }

  @Test
  void theNumbersOfDeletedVersionsCount() {
    StoreLimits limits = new StoreLimits(new DiskUse(MANY, MANY), new DiskUse(MANY, 4));
    try (FunctionStore store = FunctionStore.open(directory, limits)) {
      for (String name : new String[] {"a", "b"}) {
        put(store, brn(name, "1"), "code");
        try (FunctionStore.Lock _ = store.lock(brn(name, "1"))) {
          store.deleteAll(brn(name, "1"));
        }
      }

      assertThatThrownBy(() -> put(store, brn("c", "1"), "c")).isInstanceOf(StoreException.class);
    }
    try (FunctionStore store = FunctionStore.open(directory, limits)) {
      assertThatThrownBy(() -> put(store, brn("c", "1"), "c")).isInstanceOf(StoreException.class);
    }
  }

  @Test
  void aNumberThatIsRememberedOnAFullDiskCounts() {
    StoreLimits limits = new StoreLimits(new DiskUse(MANY, MANY), new DiskUse(MANY, 4));
    FailingDisk disk = FailingDisk.neverFails();
    try (FunctionStore store = FunctionStore.open(directory, limits, disk)) {
      for (String name : new String[] {"a", "b"}) {
        put(store, brn(name, "1"), "code");
        disk.fillUntilARemoval();
        try (FunctionStore.Lock _ = store.lock(brn(name, "1"))) {
          store.deleteAll(brn(name, "1"));
        }
      }

      assertThatThrownBy(() -> put(store, brn("c", "1"), "c")).isInstanceOf(StoreException.class);
    }
  }

  @Test
  void aChangeThatIsStoredIsNotRefusedBecauseItCannotBeCounted() {
    FailingDisk disk = FailingDisk.neverFails();
    try (FunctionStore store = FunctionStore.open(directory, StoreLimits.NONE, disk)) {
      put(store, brn("a", "1"), "before");
      disk.refuseListings();

      put(store, brn("a", "1"), "after");

      assertThat(codeOf(store.find(brn("a", "1")).orElseThrow())).isEqualTo("after");
    }
  }

  @Test
  void countingLooksAtEachDirectoryOnce() {
    FailingDisk disk = FailingDisk.neverFails();
    int functions = 20;
    try (FunctionStore store = FunctionStore.open(directory, StoreLimits.NONE, disk)) {
      for (int i = 0; i < functions; i++) {
        put(store, brn("f" + i, "1"), "code");
      }
    }
    try (FunctionStore store = FunctionStore.open(directory, StoreLimits.NONE, disk)) {
      int before = disk.listings();

      put(store, brn("f0", "1"), "code");

      assertThat(disk.listings() - before).isLessThan(functions + 10);
      before = disk.listings();
      put(store, brn("f1", "1"), "code");
      assertThat(disk.listings() - before).isLessThan(4); // Only its own directory.
    }
  }

  @Test
  void aZipThatVersionsShareCountsOnce() {
    StoreLimits limits = new StoreLimits(new DiskUse(20 * block, MANY), new DiskUse(MANY, MANY));
    try (FunctionStore store = FunctionStore.open(directory, limits)) {
      FunctionBrn latest = brn("a", "$LATEST");
      try (FunctionStore.Lock _ = store.lock(latest);
          StagedCode code = StoreFixture.stage(store, "x".repeat((int) (10 * block)))) {
        FunctionDocument document = StoreFixture.document(latest, "d", code.sha256());
        Path zip = Path.of(store.put(latest, document, code.path()).code().location());
        for (String version : new String[] {"1", "2", "3"}) {
          store.put(brn("a", version), document, zip);
        }
      }

      assertThat(store.revisions()).hasSize(4);
    }
  }

  @Test
  void onAFullDiskFunctionsCanBeDeleted() {
    FailingDisk disk = FailingDisk.neverFails();
    try (FunctionStore store = FunctionStore.open(directory, StoreLimits.NONE, disk)) {
      put(store, brn("a", "$LATEST"), "a");
      put(store, brn("a", "4"), "a");
      put(store, brn("b", "1"), "b");
      put(store, brn("b", "2"), "b");
      disk.fill(true);

      try (FunctionStore.Lock _ = store.lock(brn("b", "1"))) {
        store.delete(brn("b", "1"));
      }
      try (FunctionStore.Lock _ = store.lock(brn("a", "1"))) {
        store.deleteAll(brn("a", "1"));
      }

      assertThat(store.revisions()).containsExactly(brn("b", "2"));
      disk.fill(false);
      assertThat(codeOf(put(store, brn("a", "1"), "new"))).isEqualTo("new");
    }
    try (FunctionStore store = FunctionStore.open(directory, StoreLimits.NONE, disk)) {
      assertThat(store.revisions()).containsExactly(brn("a", "1"), brn("b", "2"));
    }
  }

  private static FunctionBrn other(String name) {
    return FunctionBrn.of(new Account("other"), name, new Qualifier.Version("1"));
  }
}
