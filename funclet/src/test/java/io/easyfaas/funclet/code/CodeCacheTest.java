package io.easyfaas.funclet.code;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.sun.net.httpserver.HttpServer;
import io.easyfaas.common.disk.Damage;
import io.easyfaas.common.disk.DiskTree;
import io.easyfaas.common.disk.DiskUse;
import io.easyfaas.common.function.FunctionDocument.FunctionCode;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.zip.WeirdZips;
import io.easyfaas.common.zip.WeirdZips.WeirdZip;
import io.easyfaas.common.zip.ZipBuilder;
import io.easyfaas.funclet.mount.SourceDirectories;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(60)
final class CodeCacheTest {
  private static final DiskUse WIDE = new DiskUse(64 << 20, 100_000);
  private static final String ALICE = "a".repeat(32);
  private static final String BOB = "b".repeat(32);
  private static final Duration TIMEOUT = Duration.ofSeconds(10);
  private static final int MAX_ARCHIVE_BYTES = 16 << 20;
  private static final int RATE = 64 << 10;

  @TempDir private Path directory;
  private final AtomicReference<Instant> now =
      new AtomicReference<>(Instant.parse("2026-01-01T00:00:00Z"));
  private HttpServer server;
  private CodeCache cache;
  private Executor deleter = Runnable::run;

  @BeforeEach
  void open() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.start();
    cache = cache(WIDE, Duration.ofSeconds(5));
    cache.sweep("boot-1");
  }

  @AfterEach
  void close() {
    server.stop(0);
  }

  @Test
  void aLocalArchiveIsUnpackedAndKept() throws IOException {
    Zip zip = zip("a.js", "a");

    Path first;
    try (CodeCache.Lease lease = cache.order(zip.local(), key(zip.sha256())).await(TIMEOUT)) {
      first = lease.directory();
      assertThat(first.resolve("a.js")).hasContent("a");
    }
    Files.delete(zip.file());

    try (CodeCache.Lease lease = cache.order(zip.local(), key(zip.sha256())).await(TIMEOUT)) {
      assertThat(lease.directory()).isEqualTo(first);
    }
  }

  @Test
  void aWrongHashNamesBoth() throws IOException {
    Zip zip = zip("a.js", "a");
    String wrong = Base64.getEncoder().encodeToString(new byte[32]);

    refused(
        zip.local(),
        wrong,
        ErrorCode.INVALID_PARAMETER,
        "CodeSha256 checksum failed: the code is " + zip.sha256() + " (expected: " + wrong + ")");
    nothingIsLeft();
  }

  @ParameterizedTest
  @CsvSource({
    "filesystem, '', code location was empty",
    "filesystem, code.zip, expected: an absolute path",
    "filesystem, /proc, is not a regular file",
    "filesystem, /etc/passwd, see --source-dirs",
    "filesystem, /proc/../etc/none, see --source-dirs",
    "filesystem, /proc/kmsg, checksum failed",
    "bos, ftp://host/code.zip, expected: an http or https address",
    "'', /var/code.zip, expected: an http or https address",
    "git, https://host/x, RepositoryType: \"git\"",
  })
  void wrongLocationsAreNamed(String type, String location, String message) throws IOException {
    String sha256 = zip("a.js", "a").sha256();

    refused(new FunctionCode(location, type, null), sha256, ErrorCode.INVALID_PARAMETER, message);
    nothingIsLeft();
  }

  @Test
  void aHashThatIsNoneIsRefused() {
    refused(
        new FunctionCode("/x", "filesystem", null),
        "../../etc",
        ErrorCode.INVALID_PARAMETER,
        "CodeSha256: \"../../etc\" (expected: base64 of 32 bytes)");
  }

  @Test
  void aBrokenArchiveIsTheUsersFault() throws IOException {
    Path file = Files.writeString(directory.resolve("not.zip"), "hello");

    refused(
        new FunctionCode(file.toString(), "filesystem", null),
        sha256(Files.readAllBytes(file)),
        ErrorCode.INVALID_PARAMETER,
        "the code archive is not a zip archive");
    nothingIsLeft();
  }

  @Test
  void anArchiveIsDownloaded() throws IOException {
    Zip zip = zip("a.js", "a");
    serve("/code.zip", 200, Files.readAllBytes(zip.file()));

    try (CodeCache.Lease lease =
        cache.order(web("/code.zip", ""), key(zip.sha256())).await(TIMEOUT)) {
      assertThat(lease.directory().resolve("a.js")).hasContent("a");
    }
  }

  @Test
  void theStatusOfADownloadCounts() throws IOException {
    serve("/gone", 404, "nothing here".getBytes(UTF_8));
    serve("/broken", 500, "nothing here".getBytes(UTF_8));
    String sha256 = zip("a.js", "a").sha256();

    refused(web("/gone", "bos"), sha256, ErrorCode.CODE_NOT_FOUND, "/gone answered 404");
    refused(web("/broken", "bos"), sha256, ErrorCode.SERVICE, "answered 500 (expected: 200)");
    nothingIsLeft();
  }

  @Test
  void aDownloadThatTricklesIsGivenUp() throws IOException {
    CountDownLatch end = new CountDownLatch(1);
    server.createContext(
        "/slow",
        exchange -> {
          exchange.sendResponseHeaders(200, 0);
          exchange.getResponseBody().write('P');
          exchange.getResponseBody().flush();
          try {
            end.await();
          } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
          }
          exchange.close();
        });
    cache = cache(WIDE, Duration.ofMillis(300));
    try {
      refused(
          web("/slow", "bos"),
          zip("a.js", "a").sha256(),
          ErrorCode.SERVICE,
          "download code timeout");
    } finally {
      end.countDown();
    }
    nothingIsLeft();
  }

  @Test
  void aDownloadMayTakeLongerThanAnyOtherWhileEnoughComes() throws IOException {
    byte[] noise = new byte[192 << 10];
    new Random(1).nextBytes(noise);
    Zip zip = zip("a.js", Base64.getEncoder().encodeToString(noise)); // Not to be compressed.
    byte[] bytes = Files.readAllBytes(zip.file());
    server.createContext(
        "/steady",
        exchange -> {
          exchange.sendResponseHeaders(200, bytes.length);
          int piece = bytes.length / 16 + 1;
          for (int from = 0; from < bytes.length; from += piece) {
            exchange.getResponseBody().write(bytes, from, Math.min(piece, bytes.length - from));
            exchange.getResponseBody().flush();
            LockSupport.parkNanos(Duration.ofMillis(100).toNanos());
          }
          exchange.close();
        });
    cache = cache(WIDE, Duration.ofSeconds(1));

    try (CodeCache.Lease lease =
        cache.order(web("/steady", "bos"), key(zip.sha256())).await(TIMEOUT)) {
      assertThat(lease.directory().resolve("a.js")).exists();
    }
  }

  @Test
  void aDownloadOverTheLimitIsCutOff() throws IOException {
    serve("/big", 200, new byte[MAX_ARCHIVE_BYTES + 1]);

    refused(
        web("/big", "bos"),
        zip("a.js", "a").sha256(),
        ErrorCode.REQUEST_TOO_LARGE,
        "is larger than the limit of " + MAX_ARCHIVE_BYTES + " bytes");
    nothingIsLeft();
  }

  @Test
  void manyWhoWantOneArchiveFetchItOnce() throws Exception {
    Zip zip = zip("a.js", "a");
    byte[] bytes = Files.readAllBytes(zip.file());
    AtomicInteger requests = new AtomicInteger();
    CountDownLatch allWait = new CountDownLatch(20);
    server.createContext(
        "/code.zip",
        exchange -> {
          requests.incrementAndGet();
          try {
            allWait.await();
          } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
          }
          exchange.sendResponseHeaders(200, bytes.length);
          exchange.getResponseBody().write(bytes);
          exchange.close();
        });

    List<Future<Path>> leases = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 20; i++) {
        leases.add(
            threads.submit(() -> {
              allWait.countDown();
              try (CodeCache.Lease lease =
                  cache.order(web("/code.zip", "bos"), key(zip.sha256())).await(TIMEOUT)) {
                return lease.directory();
              }
            }));
      }
    }

    for (Future<Path> lease : leases) {
      assertThat(lease.get().resolve("a.js")).hasContent("a");
    }
    assertThat(requests).hasValue(1);
  }

  @Test
  void aFailedFetchCanBeTriedAgain() throws IOException {
    Zip zip = zip("a.js", "a");
    byte[] bytes = Files.readAllBytes(zip.file());
    Files.delete(zip.file());
    refused(zip.local(), zip.sha256(), ErrorCode.CODE_NOT_FOUND, "does not exist");

    Files.write(zip.file(), bytes);

    cache.order(zip.local(), key(zip.sha256())).await(TIMEOUT).close();
  }

  @Test
  void nobodyWaitsUntilTheCodeOfOthersIsDeleted() throws IOException {
    List<Runnable> deletions = new ArrayList<>();
    deleter = deletions::add;
    cache = cache(sizeOfPackages(2), Duration.ofSeconds(5));
    use(ALICE, zip("a", "a".repeat(1000)));
    use(ALICE, zip("b", "b".repeat(1000)));

    use(BOB, zip("c", "c".repeat(1000)));
    assertThat(deletions).as("alice's, for bob").hasSize(1);
    use(ALICE, zip("d", "d".repeat(1000)));

    assertThat(deletions).as("alice's own, at once").hasSize(1);
    Path code = directory.resolve("code");
    assertThat(code).isDirectoryContaining("glob:**/.evicted-*");
    deletions.forEach(Runnable::run);
    assertThat(code).isDirectoryNotContaining("glob:**/.evicted-*");
  }

  @Test
  void theLongestUnusedArchiveIsEvictedFirst() throws IOException {
    cache = cache(sizeOfPackages(2), Duration.ofSeconds(5));
    Zip a = zip("a", "a".repeat(1000));
    Zip b = zip("b", "b".repeat(1000));
    Zip c = zip("c", "c".repeat(1000));
    Path pathA = use(a);
    Path pathB = use(b);
    use(a);

    Path pathC = use(c);

    assertThat(pathA).isDirectory();
    assertThat(pathB).doesNotExist();
    assertThat(pathC).isDirectory();
  }

  @Test
  void aHeldArchiveIsNeverEvicted() throws IOException {
    cache = cache(sizeOfPackages(1), Duration.ofSeconds(5));
    Zip a = zip("a", "a".repeat(1000));
    Zip b = zip("b", "b".repeat(1000));
    Zip c = zip("c", "c".repeat(1000));

    CodeCache.Lease first = cache.order(a.local(), key(a.sha256())).await(TIMEOUT);
    CodeCache.Lease second = cache.order(a.local(), key(a.sha256())).await(TIMEOUT);
    first.close();
    first.close();
    use(b);
    assertThat(second.directory()).isDirectory();

    second.close();
    use(c);
    assertThat(second.directory()).doesNotExist();
  }

  @Test
  void aPackageOfDirectoriesThatCanNeverFitIsRefusedByNameBeforeItIsMade() throws IOException {
    ZipBuilder builder = new ZipBuilder().file("index.js", "exports.handler = async () => 1;");
    for (int i = 0; i < 500; i++) {
      builder.directory("d" + i + "/");
    }
    Path file = builder.write(directory.resolve("directories.zip"));
    Zip zip = new Zip(file, sha256(Files.readAllBytes(file)));
    long block = DiskUse.blockSize(directory);
    cache = cache(new DiskUse(1 << 20, 100_000), Duration.ofSeconds(5));

    refused(
        zip.local(),
        zip.sha256(),
        ErrorCode.REQUEST_TOO_LARGE,
        "code "
            + zip.sha256()
            + " takes "
            + 502 * block
            + " bytes and 502 inodes unpacked (expected: at most 1048576 bytes and 100000 inodes, see"
            + " --code-cache-size and --code-cache-inodes)");
    nothingIsLeft();

    cache = cache(new DiskUse(1 << 30, 501), Duration.ofSeconds(5));
    refused(zip.local(), zip.sha256(), ErrorCode.REQUEST_TOO_LARGE, "and 502 inodes unpacked");
  }

  @Test
  void updateAfterUpdateStaysWithinTheLimitOfInodes() throws IOException {
    cache = cache(new DiskUse(1 << 30, 250), Duration.ofSeconds(5));
    for (int update = 0; update < 6; update++) {
      ZipBuilder builder = new ZipBuilder().file("index.js", "//" + update);
      for (int i = 0; i < 98; i++) {
        builder.directory("d" + i + "/");
      }
      Path file = builder.write(directory.resolve("update-" + update + ".zip"));
      use(new Zip(file, sha256(Files.readAllBytes(file))));

      assertThat(DiskTree.use(directory.resolve("code")).inodes()).isLessThan(260);
    }
  }

  @Test
  void oneAccountCannotEvictAnother() throws IOException {
    cache = cache(sizeOfPackages(4), Duration.ofSeconds(5));
    Path bobs = use(BOB, zip("bob", "b"));
    Path first = use(ALICE, zip("a1", "a1"));
    for (int i = 2; i < 9; i++) {
      use(ALICE, zip("a" + i, "a" + i));
    }

    assertThat(bobs).isDirectory();
    assertThat(first).doesNotExist();
    assertThat(directory.resolve("code").resolve(ALICE)).isNotEmptyDirectory();
    try (var archives = Files.list(directory.resolve("code").resolve(ALICE))) {
      assertThat(archives).hasSize(3);
    }
  }

  @Test
  void whatOneAccountHoldsIsNotMadeRoomForAtTheCostOfAnother() throws IOException {
    cache = cache(sizeOfPackages(3), Duration.ofSeconds(5));
    Path bobs = use(BOB, zip("bob", "b"));
    List<CodeCache.Lease> leases = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      Zip zip = zip("a" + i, "a" + i);
      leases.add(cache.order(zip.local(), key(zip.sha256())).await(TIMEOUT));
    }

    assertThat(bobs).isDirectory();
    assertThat(leases).allSatisfy(lease -> assertThat(lease.directory()).isDirectory());
    leases.forEach(CodeCache.Lease::close);
  }

  @Test
  void accountsDoNotShareUnpackedCode() throws IOException {
    Zip zip = zip("same", "same");

    assertThat(use(ALICE, zip)).isNotEqualTo(use(BOB, zip));
  }

  @Test
  void whatAnEarlierEngineUnpackedCountsAfterARestart() throws IOException {
    Path recent = use(zip("recent", "recent"));
    Path old = use(zip("old", "old"));
    wasUsed(recent, 200);
    wasUsed(old, 100);

    cache = cache(sizeOfPackages(2), Duration.ofSeconds(5));
    cache.sweep("boot-1");
    Path fresh = use(zip("fresh", "fresh"));

    assertThat(old).doesNotExist();
    assertThat(recent).isDirectory();
    assertThat(fresh).isDirectory();
  }

  @Test
  void whatWasUsedAgainStaysAfterARestart() throws IOException {
    Zip again = zip("again", "again");
    Path used = use(again);
    Path old = use(zip("old", "old"));
    wasUsed(used, 100);
    wasUsed(old, 200);
    use(again);

    cache = cache(sizeOfPackages(2), Duration.ofSeconds(5));
    cache.sweep("boot-1");
    use(zip("fresh", "fresh"));

    assertThat(old).doesNotExist();
    assertThat(used).isDirectory();
  }

  @Test
  void anAccountWithoutCodeHasNoDirectory() throws IOException {
    cache = cache(sizeOfPackages(1), Duration.ofSeconds(5));
    Path gone = use(zip("a", "a"));
    Zip kept = zip("b", "b");
    cache.order(kept.local(), new CodeKey(BOB, CodeHash.ofBase64(kept.sha256()))).await(TIMEOUT);
    assertThat(gone.getParent()).doesNotExist();

    Files.createDirectory(gone.getParent()); // As when the engine was killed in between.
    cache(WIDE, Duration.ofSeconds(5)).sweep("boot-1");

    assertThat(gone.getParent()).doesNotExist();
    assertThat(directory.resolve("code").resolve(BOB)).isNotEmptyDirectory();
  }

  private static void wasUsed(Path unpacked, long epochSecond) throws IOException {
    Files.setLastModifiedTime(unpacked, FileTime.from(Instant.ofEpochSecond(epochSecond)));
  }

  @ParameterizedTest
  @EnumSource
  void aDamagedBootFileEmptiesTheCacheAndNothingElse(Damage damage) throws IOException {
    Path unpacked = use(zip("a", "a"));
    damage.to(directory.resolve("code/.boot"));

    cache = cache(WIDE, Duration.ofSeconds(5));
    cache.sweep("boot-1");

    assertThat(unpacked).doesNotExist();
    nothingIsLeft();
    use(zip("a", "a"));
    cache(WIDE, Duration.ofSeconds(5)).sweep("boot-1");
    assertThat(unpacked).isDirectory();
  }

  @ParameterizedTest
  @EnumSource
  void whateverElseIsInTheCacheIsRemoved(Damage damage) throws IOException {
    Path unpacked = use(zip("a", "a"));
    Zip other = zip("b", "b");
    damage.to(directory.resolve("code/no account"));
    damage.to(directory.resolve("code").resolve(BOB));
    damage.to(unpacked.resolveSibling(CodeHash.ofBase64(other.sha256()).hex()));
    damage.to(unpacked.resolveSibling(".evicted-1"));

    cache = cache(WIDE, Duration.ofSeconds(5));
    cache.sweep("boot-1");

    assertThat(unpacked).isDirectory();
    assertThat(use(BOB, other)).isDirectory();
    assertThat(directory.resolve("code/no account")).doesNotExist();
    assertThat(unpacked.resolveSibling(".evicted-1")).doesNotExist();
    assertThat(directory.resolve("code/nowhere")).doesNotExist();
  }

  @Test
  void codeIsOnItsWayBeforeAnybodyWaitsForIt() throws Exception {
    Zip zip = zip("a", "a");
    CodeCache.Order order = cache.order(zip.local(), key(zip.sha256()));

    while (!Files.isDirectory(directory.resolve("code").resolve(key(zip.sha256()).toString()))) {
      Thread.sleep(5);
    }
    order.await(Duration.ofSeconds(20)).close();
  }

  @Test
  void whatWasInProgressIsSweptAndWhatWasWholeIsKept() throws IOException {
    Path kept = use(zip("a", "a"));
    Path partial = Files.createDirectories(directory.resolve("code/.content-7/lib"));
    Files.writeString(partial.resolve("half"), "x");

    cache(WIDE, Duration.ofSeconds(5)).sweep("boot-1");

    assertThat(partial.getParent()).doesNotExist();
    assertThat(kept.resolve("a")).hasContent("a");
  }

  @Test
  void aCacheOfAnEarlierBootIsDropped() throws IOException {
    Path dropped = use(zip("a", "a"));

    cache(WIDE, Duration.ofSeconds(5)).sweep("boot-2");

    assertThat(dropped).doesNotExist();
  }

  /// Room for so many packages of one file that has one block.
  private DiskUse sizeOfPackages(int count) throws IOException {
    return new DiskUse(2L * count * DiskUse.blockSize(directory), 1_000_000);
  }

  @ParameterizedTest
  @MethodSource("weird")
  void everyWeirdZipIsTakenOrRefusedAsByTheRegistry(WeirdZip weird) throws IOException {
    Path file = Files.write(directory.resolve("weird.zip"), weird.bytes());
    Zip zip = new Zip(file, sha256(weird.bytes()));
    cache = cache(WIDE, Duration.ofSeconds(5));

    if (weird.isTaken()) {
      assertThat(use(zip)).isDirectory();
    } else {
      refused(zip.local(), zip.sha256(), ErrorCode.INVALID_PARAMETER, weird.refusal());
      nothingIsLeft();
    }
  }

  static List<WeirdZip> weird() {
    return WeirdZips.all();
  }

  private Path use(Zip zip) {
    return use(ALICE, zip);
  }

  private Path use(String account, Zip zip) {
    now.updateAndGet(time -> time.plusSeconds(10));
    CodeKey key = new CodeKey(account, CodeHash.ofBase64(zip.sha256()));
    try (CodeCache.Lease lease = cache.order(zip.local(), key).await(TIMEOUT)) {
      return lease.directory();
    }
  }

  private static CodeKey key(String sha256) {
    return new CodeKey(ALICE, CodeHash.ofBase64(sha256));
  }

  private CodeCache cache(DiskUse limit, Duration download) {
    return new CodeCache(
        directory.resolve("code"),
        limit,
        new CodeFetcher(
            MAX_ARCHIVE_BYTES,
            new CodePace(download, RATE),
            new SourceDirectories(List.of(directory, Path.of("/proc")))),
        now::get,
        deleter);
  }

  private void refused(FunctionCode code, String sha256, ErrorCode expected, String message) {
    assertThatExceptionOfType(ApiException.class)
        .isThrownBy(() -> cache.order(code, key(sha256)).await(TIMEOUT))
        .withMessageContaining(message)
        .satisfies(failure -> assertThat(failure.code()).isEqualTo(expected));
  }

  private void nothingIsLeft() throws IOException {
    try (var children = Files.list(directory.resolve("code"))) {
      assertThat(children.map(path -> path.getFileName().toString())).containsExactly(".boot");
    }
  }

  private void serve(String path, int status, byte[] body) {
    server.createContext(
        path,
        exchange -> {
          exchange.sendResponseHeaders(status, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
  }

  private FunctionCode web(String path, String type) {
    return new FunctionCode("http://127.0.0.1:" + server.getAddress().getPort() + path, type, null);
  }

  private Zip zip(String name, String content) throws IOException {
    Path file = new ZipBuilder().file(name, content).write(directory.resolve(name + ".zip"));
    return new Zip(file, sha256(Files.readAllBytes(file)));
  }

  private static String sha256(byte[] bytes) {
    try {
      return Base64.getEncoder().encodeToString(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  private record Zip(Path file, String sha256) {
    FunctionCode local() {
      return new FunctionCode(file.toString(), "filesystem", null);
    }
  }
}
