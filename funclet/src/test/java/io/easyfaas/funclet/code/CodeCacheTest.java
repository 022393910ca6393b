package io.easyfaas.funclet.code;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.sun.net.httpserver.HttpServer;
import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.disk.DiskUse;
import io.easyfaas.common.function.FunctionDocument.FunctionCode;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.zip.WeirdZips;
import io.easyfaas.common.zip.WeirdZips.WeirdZip;
import io.easyfaas.common.zip.ZipBuilder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(60)
final class CodeCacheTest {
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  @TempDir private Path directory;
  private final AtomicReference<Instant> now =
      new AtomicReference<>(Instant.parse("2026-01-01T00:00:00Z"));
  private HttpServer server;
  private CodeCache cache;

  @BeforeEach
  void open() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.start();
    cache = cache(ByteSize.ofMebibytes(1), Duration.ofSeconds(5));
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
    try (CodeCache.Lease lease =
        cache.order(zip.local(), CodeHash.ofBase64(zip.sha256())).await(TIMEOUT)) {
      first = lease.directory();
      assertThat(first.resolve("a.js")).hasContent("a");
    }
    Files.delete(zip.file());

    try (CodeCache.Lease lease =
        cache.order(zip.local(), CodeHash.ofBase64(zip.sha256())).await(TIMEOUT)) {
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
    "filesystem, /nowhere/code.zip, does not exist",
    "filesystem, /proc, is not a regular file",
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
        cache.order(web("/code.zip", ""), CodeHash.ofBase64(zip.sha256())).await(TIMEOUT)) {
      assertThat(lease.directory().resolve("a.js")).hasContent("a");
    }
  }

  @Test
  void theStatusOfADownloadCounts() throws IOException {
    serve("/gone", 404, "nothing here".getBytes(UTF_8));

    refused(
        web("/gone", "bos"),
        zip("a.js", "a").sha256(),
        ErrorCode.SERVICE,
        "answered 404 (expected: 200)");
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
    cache = cache(ByteSize.ofMebibytes(1), Duration.ofMillis(300));
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
  void aDownloadOverTheLimitIsCutOff() throws IOException {
    serve("/big", 200, new byte[3 << 20]);

    refused(
        web("/big", "bos"),
        zip("a.js", "a").sha256(),
        ErrorCode.REQUEST_TOO_LARGE,
        "is larger than the limit of 2097152 bytes");
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
                  cache
                      .order(web("/code.zip", "bos"), CodeHash.ofBase64(zip.sha256()))
                      .await(TIMEOUT)) {
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
    refused(zip.local(), zip.sha256(), ErrorCode.INVALID_PARAMETER, "does not exist");

    Files.write(zip.file(), bytes);

    cache.order(zip.local(), CodeHash.ofBase64(zip.sha256())).await(TIMEOUT).close();
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

    CodeCache.Lease first = cache.order(a.local(), CodeHash.ofBase64(a.sha256())).await(TIMEOUT);
    CodeCache.Lease second = cache.order(a.local(), CodeHash.ofBase64(a.sha256())).await(TIMEOUT);
    first.close();
    first.close();
    use(b);
    assertThat(second.directory()).isDirectory();

    second.close();
    use(c);
    assertThat(second.directory()).doesNotExist();
  }

  @Test
  void codeIsOnItsWayBeforeAnybodyWaitsForIt() throws Exception {
    Zip zip = zip("a", "a");
    CodeCache.Order order = cache.order(zip.local(), CodeHash.ofBase64(zip.sha256()));

    while (!Files.isDirectory(
        directory.resolve("code").resolve(CodeHash.ofBase64(zip.sha256()).hex()))) {
      Thread.sleep(5);
    }
    order.await(Duration.ZERO).close();
  }

  @Test
  void whatWasInProgressIsSweptAndWhatWasWholeIsKept() throws IOException {
    Path kept = use(zip("a", "a"));
    Path partial = Files.createDirectories(directory.resolve("code/.content-7/lib"));
    Files.writeString(partial.resolve("half"), "x");

    cache(ByteSize.ofMebibytes(1), Duration.ofSeconds(5)).sweep("boot-1");

    assertThat(partial.getParent()).doesNotExist();
    assertThat(kept.resolve("a")).hasContent("a");
  }

  @Test
  void aCacheOfAnEarlierBootIsDropped() throws IOException {
    Path dropped = use(zip("a", "a"));

    cache(ByteSize.ofMebibytes(1), Duration.ofSeconds(5)).sweep("boot-2");

    assertThat(dropped).doesNotExist();
  }

  /// Room for so many packages of one file that has one block.
  private ByteSize sizeOfPackages(int count) throws IOException {
    return new ByteSize(2 * count * DiskUse.blockSize(directory));
  }

  @ParameterizedTest
  @MethodSource("weird")
  void everyWeirdZipIsTakenOrRefusedAsByTheRegistry(WeirdZip weird) throws IOException {
    Path file = Files.write(directory.resolve("weird.zip"), weird.bytes());
    Zip zip = new Zip(file, sha256(weird.bytes()));
    cache = cache(ByteSize.ofMebibytes(64), Duration.ofSeconds(5));

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
    now.updateAndGet(time -> time.plusSeconds(10));
    try (CodeCache.Lease lease =
        cache.order(zip.local(), CodeHash.ofBase64(zip.sha256())).await(TIMEOUT)) {
      return lease.directory();
    }
  }

  private CodeCache cache(ByteSize limit, Duration download) {
    return new CodeCache(
        directory.resolve("code"), limit, new CodeFetcher(2 << 20, download), now::get);
  }

  private void refused(FunctionCode code, String sha256, ErrorCode expected, String message) {
    assertThatExceptionOfType(ApiException.class)
        .isThrownBy(() -> cache.order(code, CodeHash.ofBase64(sha256)).await(TIMEOUT))
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
