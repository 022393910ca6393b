package io.easyfaas.stubs.store;

import static io.easyfaas.stubs.store.StoreFixture.brn;
import static io.easyfaas.stubs.store.StoreFixture.codeOf;
import static io.easyfaas.stubs.store.StoreFixture.put;
import static io.easyfaas.stubs.store.StoreFixture.tree;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.function.FunctionDocument;
import io.easyfaas.common.wire.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Base64;
import java.util.HexFormat;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class FunctionStoreTest {
  private static final String HELLO =
      "brn:cloud:faas:bj:8f6e5a28c663957ea04522547a66d08f:function:hello";

  @TempDir private Path directory = Path.of("");

  @SuppressWarnings("NullAway.Init")
  private FunctionStore store;

  @BeforeEach
  void open() {
    store = FunctionStore.open(directory, StoreLimits.NONE);
  }

  @AfterEach
  void close() {
    store.close();
  }

  @Test
  void keepsARevisionInADirectoryOfItsNameAcrossAReopen() throws IOException {
    FunctionDocument stored = put(store, brn("hello", "1"), "one");
    reopen();

    FunctionDocument found = store.find(brn("hello", "1")).orElseThrow();
    assertThat(found).isEqualTo(stored);
    assertThat(codeOf(found)).isEqualTo("one");
    assertThat(Path.of(found.code().location()))
        .isAbsolute()
        .hasParent(directory.resolve(HELLO + ":1"));
    assertThat(Files.readString(directory.resolve(HELLO + ":1/meta.json")))
        .contains("\"RepositoryType\":\"filesystem\"");
  }

  @Test
  void findsNothingThatWasNotStored() {
    put(store, brn("hello", "1"), "one");

    assertThat(store.find(brn("hello", "2"))).isEmpty();
    assertThat(store.find(brn("hello", "$LATEST"))).isEmpty();
    assertThat(store.find(brn("other", "1"))).isEmpty();
  }

  @Test
  void whatWasJustStoredIsFoundWithoutReadingAFile() throws IOException {
    FunctionDocument stored = put(store, brn("hello", "1"), "one");
    Files.delete(directory.resolve(HELLO + ":1/meta.json"));

    assertThat(store.find(brn("hello", "1"))).contains(stored);
  }

  @Test
  void replacesCodeAndDocumentTogether() {
    FunctionBrn latest = brn("hello", "$LATEST");
    put(store, latest, "one");
    store.find(latest);
    put(store, latest, "two");

    FunctionDocument found = store.find(latest).orElseThrow();
    assertThat(codeOf(found)).isEqualTo("two");
    assertThat(found.configuration().description()).isEqualTo("two");
  }

  @Test
  void leavesNothingBehindOfStagedCode() {
    put(store, brn("hello", "1"), "one");
    StoreFixture.stage(store, "never used").close();

    assertThat(directory.resolve(".incoming")).isEmptyDirectory();
  }

  @Test
  void hidesFunctionsFromOtherUsers() throws IOException {
    FunctionDocument stored = put(store, brn("hello", "1"), "one");

    for (Path path :
        new Path[] {
          directory.resolve(HELLO + ":1"),
          directory.resolve(HELLO + ":1/meta.json"),
          Path.of(stored.code().location())
        }) {
      assertThat(Files.getPosixFilePermissions(path))
          .doesNotContain(PosixFilePermission.OTHERS_READ, PosixFilePermission.OTHERS_EXECUTE);
    }
  }

  @Test
  void listsRevisionsWithLatestFirstAndVersionsByNumber() {
    for (String version : new String[] {"10", "2", "$LATEST", "1"}) {
      put(store, brn("hello", version), version);
    }
    put(store, brn("hello2", "3"), "other");

    assertThat(store.revisions(brn("hello", "1")))
        .containsExactly(
            brn("hello", "$LATEST"), brn("hello", "1"), brn("hello", "2"), brn("hello", "10"));
    assertThat(store.revisions()).hasSize(5).contains(brn("hello2", "3"));
  }

  @Test
  void deletesOneRevision() {
    put(store, brn("hello", "1"), "one");
    put(store, brn("hello", "2"), "two");
    store.find(brn("hello", "1"));

    store.delete(brn("hello", "1"));

    assertThat(store.find(brn("hello", "1"))).isEmpty();
    assertThat(store.revisions()).containsExactly(brn("hello", "2"));
    assertThat(directory.resolve(HELLO + ":1")).doesNotExist();
  }

  @Test
  void deletesAFunctionAndNotItsNeighbour() {
    put(store, brn("hello", "$LATEST"), "one");
    put(store, brn("hello", "1"), "one");
    put(store, brn("hello-2", "1"), "two");
    store.find(brn("hello", "1"));

    assertThat(store.deleteAll(brn("hello", "1")))
        .containsExactly(brn("hello", "$LATEST"), brn("hello", "1"));

    assertThat(store.revisions()).containsExactly(brn("hello-2", "1"));
    assertThat(store.find(brn("hello", "1"))).isEmpty();
    assertThat(tree(directory.resolve(".deleting"))).isEmpty();
    assertThat(tree(directory.resolve(".incoming"))).isEmpty();
  }

  @Test
  void neverForgetsTheHighestNumber() {
    assertThat(store.highestNumber(brn("hello", "1"))).isZero();
    put(store, brn("hello", "$LATEST"), "x");
    assertThat(store.highestNumber(brn("hello", "1"))).isZero();
    put(store, brn("hello", "1"), "x");
    put(store, brn("hello", "7"), "x");

    store.delete(brn("hello", "7"));
    assertThat(store.highestNumber(brn("hello", "1"))).isEqualTo(7);

    store.deleteAll(brn("hello", "1"));
    reopen();
    assertThat(store.highestNumber(brn("hello", "1"))).isEqualTo(7);
    put(store, brn("hello", "9"), "x");
    assertThat(store.highestNumber(brn("hello", "1"))).isEqualTo(9);
  }

  @Test
  void refusesADirectoryThatIsInUse() {
    assertThatThrownBy(() -> FunctionStore.open(directory, StoreLimits.NONE))
        .isInstanceOf(StoreException.class)
        .hasMessage(
            "function directory "
                + directory
                + ": in use by process "
                + ProcessHandle.current().pid()
                + ". Hint: give each engine its own --data-dir or --function-dir");
  }

  @Test
  void namesADirectoryThatCannotBeMade() throws IOException {
    Path file = Files.writeString(directory.resolve("file"), "");

    assertThatThrownBy(() -> FunctionStore.open(file.resolve("functions"), StoreLimits.NONE))
        .isInstanceOf(StoreException.class)
        .hasMessageStartingWith("function directory " + file.resolve("functions") + ": ");
  }

  @Test
  void clearsWhatAKilledProcessLeftAndNothingElse() throws IOException {
    put(store, brn("hello", "1"), "one");
    store.close();
    Files.writeString(directory.resolve(".incoming/half.zip"), "x");
    Files.createDirectories(directory.resolve(".incoming/deleted/deeper"));
    Path incomplete = Files.createDirectory(directory.resolve(HELLO + ":2"));
    Files.writeString(incomplete.resolve("code-00.zip"), "x");
    Path foreign = Files.createDirectory(directory.resolve(HELLO + ":3"));
    Files.writeString(foreign.resolve("notes.txt"), "mine");
    Files.writeString(directory.resolve("README"), "mine");

    store = FunctionStore.open(directory, StoreLimits.NONE);

    assertThat(directory.resolve(".incoming")).isEmptyDirectory();
    assertThat(incomplete).doesNotExist();
    assertThat(foreign.resolve("notes.txt")).hasContent("mine");
    assertThat(directory.resolve("README")).hasContent("mine");
    assertThat(store.revisions()).containsExactly(brn("hello", "1"));
  }

  @Test
  void readsTheLayoutOfTheOriginal() throws IOException {
    Path old = Files.createDirectory(directory.resolve(HELLO + ":1"));
    Files.writeString(old.resolve("code.zip"), "one");
    Files.writeString(
        old.resolve("meta.json"),
        """
        {"Code":{"_":{},"Location":"/elsewhere/code.zip","RepositoryType":"filesystem"},
         "Concurrency":{"_":{},"ReservedConcurrentExecutions":null,"AccountReservedSum":0},
         "Configuration":{"_":{},"CodeSha256":"%s","CodeSize":3,"FunctionName":"hello",
           "FunctionArn":"%s:1","Handler":"index.handler","Version":"1","MemorySize":128,
           "Environment":{"_":{},"Error":null,"Variables":null},"VpcConfig":null}}
        """
            .formatted("dpIAiP4vMZjKgn6Rqf6hPvXlF7lwE8TCDDgYpGFVxUY=", HELLO));

    FunctionDocument found = store.find(brn("hello", "1")).orElseThrow();

    assertThat(found.code().location()).isEqualTo(old.resolve("code.zip").toString());
    assertThat(found.configuration().variables()).isEmpty();
  }

  @Test
  void findsTheCodeAfterTheDirectoryWasMoved(@TempDir Path other) throws IOException {
    put(store, brn("hello", "1"), "one");
    store.close();
    Path moved = Files.move(directory.resolve(HELLO + ":1"), other.resolve(HELLO + ":1"));

    store = FunctionStore.open(other, StoreLimits.NONE);

    FunctionDocument found = store.find(brn("hello", "1")).orElseThrow();
    assertThat(Path.of(found.code().location())).hasParent(moved);
    assertThat(codeOf(found)).isEqualTo("one");
  }

  @Test
  void namesADocumentThatCannotBeReadAndLetsItBeReplaced() throws IOException {
    put(store, brn("hello", "1"), "one");
    Path meta = directory.resolve(HELLO + ":1/meta.json");
    Files.writeString(meta, "{broken");
    reopen();

    assertThatThrownBy(() -> store.find(brn("hello", "1")))
        .isInstanceOf(StoreException.class)
        .hasMessageStartingWith("read " + meta + ": JSON: ");

    put(store, brn("hello", "1"), "two");
    assertThat(codeOf(store.find(brn("hello", "1")).orElseThrow())).isEqualTo("two");
  }

  @Test
  void everyReaderSeesCodeAndDocumentOfOneRevisionWhileItChanges() throws Exception {
    FunctionBrn latest = brn("hello", "$LATEST");
    put(store, latest, "0");
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<?> writer =
          threads.submit(() -> {
            for (int i = 1; i <= 50; i++) {
              put(store, latest, Integer.toString(i));
            }
          });
      while (!writer.isDone()) {
        FunctionDocument seen = store.find(latest).orElseThrow();
        assertThat(seen.configuration().description()).isNotNull();
        assertThat(Path.of(seen.code().location()).toString())
            .contains(
                HexFormat.of()
                    .formatHex(Base64.getDecoder().decode(seen.configuration().codeSha256())));
      }
      writer.get();
    }
    assertThat(codeOf(store.find(latest).orElseThrow())).isEqualTo("50");
  }

  @Test
  void saysWhenThereIsNoSpaceForStagedCodeAndLeavesNothing() {
    store.close();
    // 5 operations open the store; the next one is the write of the code.
    FailingDisk disk = FailingDisk.fullAt(5);
    store = FunctionStore.open(directory, StoreLimits.NONE, disk);

    assertThatThrownBy(() -> StoreFixture.stage(store, "code"))
        .isInstanceOf(StoreException.class)
        .hasMessage("store code: no space left in " + directory)
        .extracting(e -> ((StoreException) e).code())
        .isEqualTo(ErrorCode.UNAVAILABLE);
    assertThat(directory.resolve(".incoming")).isEmptyDirectory();
    assertThat(codeOf(put(store, brn("hello", "1"), "one"))).isEqualTo("one");
  }

  private void reopen() {
    store.close();
    store = FunctionStore.open(directory, StoreLimits.NONE);
  }
}
