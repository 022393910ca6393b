package io.easyfaas.stubs.registry;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.brn.Account;
import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.function.FunctionDocument;
import io.easyfaas.common.http.HttpBody;
import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.stubs.store.FunctionStore;
import io.easyfaas.stubs.store.StoreLimits;
import java.io.ByteArrayInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Code on its way into the registry, as it comes.
final class UploadTest {
  private static final String V1 = "/v1/functions/";
  private static final int MAX_CODE = 256 * 1024;

  @TempDir private Path directory = Path.of("");

  @SuppressWarnings("NullAway.Init")
  private FunctionStore store;

  @SuppressWarnings("NullAway.Init")
  private FunctionRoutes routes;

  @BeforeEach
  void open() throws IOException {
    Path nodejs = Files.createDirectories(directory.resolve("runtimes/nodejs20"));
    Files.writeString(
        nodejs.resolve("runtime.json"),
        "{\"Name\":\"nodejs20\",\"Bin\":\"/b\",\"Path\":\"/r\",\"Aliases\":[\"nodejs8.5\"]}");
    store = FunctionStore.open(directory.resolve("functions"), StoreLimits.NONE);
    RuntimeCatalog runtimes = new RuntimeCatalog(directory.resolve("runtimes"));
    routes =
        new FunctionRoutes(
            store,
            new FunctionRegistry(store, runtimes, InstantSource.system(), _ -> {}),
            runtimes,
            new UploadLimits(new ByteSize(MAX_CODE), 4, new ByteSize(MAX_CODE * 5 / 2)));
  }

  @AfterEach
  void nothingIsLeftOnTheWay() {
    assertThat(directory.resolve("functions/.incoming")).isEmptyDirectory();
    store.close();
  }

  @Test
  void zipIsStoredAsItIsWithTheSettingsOfTheQuery() throws IOException {
    byte[] zip = Zips.of("main.js");

    HttpResponse created =
        send(
            zip(
                "POST",
                "hello?Runtime=nodejs20&Handler=main.run&MemorySize=256&Timeout=7"
                    + "&PodConcurrentQuota=3&Description=two+words&LogType=bos"
                    + "&Environment=A%3D1%3D2&Environment=B%3D%C3%BC&Tags=k%3Dv",
                stream(zip)));

    assertThat(created.status()).as(created.text()).isEqualTo(200);
    FunctionDocument document = get("hello");
    assertThat(Files.readAllBytes(Path.of(document.code().location()))).isEqualTo(zip);
    var stored = document.configuration();
    assertThat(stored.codeSize()).isEqualTo(zip.length);
    assertThat(stored.handler()).isEqualTo("main.run");
    assertThat(stored.memorySize()).isEqualTo(256);
    assertThat(stored.timeout()).isEqualTo(7);
    assertThat(stored.podConcurrentQuota()).isEqualTo(3);
    assertThat(stored.description()).isEqualTo("two words");
    assertThat(stored.logType()).isEqualTo("bos");
    assertThat(stored.variables()).isEqualTo(Map.of("A", "1=2", "B", "ü"));
    assertThat(document.tags()).isEqualTo(Map.of("k", "v"));
  }

  @Test
  void zipReplacesCodeAndLeavesTheRest() throws IOException {
    byte[] zip = Zips.of("other.js");
    send(zip("POST", "hello?MemorySize=256&Environment=A%3D1", stream(Zips.of("main.js"))));

    assertThat(send(zip("PUT", "hello?Timeout=9", stream(zip))).status()).isEqualTo(200);

    FunctionDocument document = get("hello");
    assertThat(Files.readAllBytes(Path.of(document.code().location()))).isEqualTo(zip);
    assertThat(document.configuration().memorySize()).isEqualTo(256);
    assertThat(document.configuration().timeout()).isEqualTo(9);
    assertThat(document.configuration().variables()).isEqualTo(Map.of("A", "1"));
  }

  @Test
  void versionAndQualifierOfAQueryNameTheRevision() {
    send(zip("POST", "hello?Qualifier=1", stream(Zips.of("a.js"))));
    send(zip("POST", "hello?Version=2", stream(Zips.of("a.js"))));

    assertThat(get("hello:1").configuration().version()).isEqualTo("1");
    assertThat(get("hello:2").configuration().version()).isEqualTo("2");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          memory=1           | query: \\"memory\\" (expected: Qualifier, Version, Description,
          MemorySize=lots    | MemorySize: \\"lots\\" (expected: a whole number)
          Timeout=%2B5       | Timeout: \\"+5\\" (expected: a whole number)
          Timeout=%D9%A3     | Timeout: \\"٣\\" (expected: a whole number)
          Timeout=9999999999 | Timeout: \\"9999999999\\" (expected: a whole number)
          Timeout=-5         | Timeout: -5 (expected: 1 to 900 seconds)
          Timeout=5&Timeout=6       | Timeout: \\"5\\" and \\"6\\" (expected: one value)
          Qualifier=1&Qualifier=2   | Qualifier: \\"1\\" and \\"2\\" (expected: one value)
          Tags=a%3D1&Tags=a%3D2     | Tags.a: twice (expected: one value)
          MemorySize=1       | MemorySize: 1 (expected: 64 to 10240 mebibytes)
          Environment=A      | Environment: \\"A\\" (expected: name=value)
          Environment=1A%3Dx | Environment.Variables: \\"1A\\" (expected: names of letters
          Runtime=cobol      | Runtime: \\"cobol\\" (expected: one of nodejs20)
          """)
  void namesTheParameterItsValueAndWhatWasExpected(String query, String cause) {
    HttpResponse refused = send(zip("POST", "hello?" + query, stream(Zips.of("a.js"))));

    assertThat(refused.status()).isEqualTo(400);
    assertThat(refused.text()).contains("\"Cause\":\"" + cause);
  }

  @Test
  void documentMayHaveItsCodeAnywhere() throws IOException {
    byte[] zip = Zips.ofNoise(100_000);
    String base64 = Base64.getEncoder().encodeToString(zip);

    for (String body :
        new String[] {
          "{\"Code\":\"" + base64 + "\",\"Timeout\":7}",
          "{\"Timeout\":7,\"code\":\"" + base64 + "\"}",
          "{\"Environment\":{\"Variables\":{}},\"Code\":\"" + base64 + "\" , \"Timeout\":7 }"
        }) {
      assertThat(send(document("POST", stream(body.getBytes(UTF_8)))).status()).isEqualTo(200);

      FunctionDocument stored = get("hello");
      assertThat(Files.readAllBytes(Path.of(stored.code().location()))).isEqualTo(zip);
      assertThat(stored.configuration().timeout()).isEqualTo(7);
      send(HttpRequest.of("DELETE", V1 + "hello"));
    }
  }

  @Test
  void codeOverTheLimitIsRefusedBeforeItsEnd() {
    byte[] code = new byte[MAX_CODE + 1];
    String json = "{\"Code\":\"" + Base64.getEncoder().encodeToString(code) + "\"";
    InputStream bare = new SequenceInputStream(new ByteArrayInputStream(code), forbidden());
    InputStream document =
        new SequenceInputStream(new ByteArrayInputStream(json.getBytes(UTF_8)), forbidden());

    HttpResponse ofBare = send(zip("POST", "hello", new HttpBody.Stream(bare, HttpBody.UNKNOWN)));
    HttpResponse ofDocument =
        send(document("POST", new HttpBody.Stream(document, HttpBody.UNKNOWN)));

    assertThat(ofBare.status()).isEqualTo(413);
    assertThat(ofDocument.status()).isEqualTo(413);
    assertThat(ofDocument.text())
        .contains("Code: larger than the limit (expected: at most 256KiB, see --max-code-size)");
  }

  @Test
  void settingsOverTheLimitAreRefusedBeforeTheirEnd() {
    HttpResponse large = sendBegun("{" + " ".repeat(512 * 1024));
    HttpResponse longText = sendBegun("{\"Description\":\"" + "x".repeat(512 * 1024));

    assertThat(large.status()).isEqualTo(413);
    assertThat(large.text()).contains("at most 262144 bytes besides Code");
    assertThat(longText.status()).isEqualTo(400);
    assertThat(longText.text()).contains("8192");
  }

  /// Sends a document of which only the beginning may be read.
  private HttpResponse sendBegun(String json) {
    InputStream body =
        new SequenceInputStream(new ByteArrayInputStream(json.getBytes(UTF_8)), forbidden());
    return send(document("POST", new HttpBody.Stream(body, HttpBody.UNKNOWN)));
  }

  @Test
  void emptyZipIsRefused() {
    assertThat(send(zip("POST", "hello", stream(new byte[0]))).text())
        .contains("Code: 0 bytes (expected: a zip)");
    send(zip("POST", "hello", stream(Zips.of("a.js"))));
    assertThat(send(document("PUT", stream("{\"Code\":\"\"}".getBytes(UTF_8)))).text())
        .contains("Code: 0 bytes (expected: a zip)");
  }

  @Test
  void uploadThatBreaksOffIsNotStored() {
    byte[] zip = Zips.ofNoise(100_000);
    String json = "{\"Code\":\"" + Base64.getEncoder().encodeToString(zip);
    InputStream bare = new SequenceInputStream(new ByteArrayInputStream(zip, 0, 50_000), broken());
    InputStream document =
        new SequenceInputStream(new ByteArrayInputStream(json.getBytes(UTF_8)), broken());

    send(zip("POST", "hello", new HttpBody.Stream(bare, zip.length)));
    send(document("POST", new HttpBody.Stream(document, HttpBody.UNKNOWN)));

    assertThat(send(HttpRequest.of("GET", V1 + "hello")).status()).isEqualTo(404);
  }

  @Test
  void bodyOfWhoMayNotIsNotRead() {
    HttpRequest others =
        zip("POST", "hello", new HttpBody.Stream(forbidden(), 100))
            .withHeader("X-Easyfaas-Account-Id", "other");
    String brn = "brn:cloud:faas:bj:8f6e5a28c663957ea04522547a66d08f:function:hello";

    assertThat(send(new HttpRequest("POST", V1 + brn, others.headers(), others.content())).status())
        .isEqualTo(403);
    assertThat(send(zip("PUT", "missing", new HttpBody.Stream(forbidden(), 100))).status())
        .isEqualTo(404);
  }

  @Test
  void moreUploadsThanThereIsRoomForAreToldToComeBack() throws Exception {
    byte[] zip = Zips.of("a.js");
    Semaphore begun = new Semaphore(0);
    Semaphore gate = new Semaphore(0);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<HttpResponse> first =
          threads.submit(() -> send(zip("POST", "one", gated(zip, MAX_CODE, begun, gate))));
      begun.acquire();

      HttpResponse tooMuch = send(zip("POST", "two", new HttpBody.Stream(forbidden(), MAX_CODE)));
      Future<HttpResponse> second =
          threads.submit(() -> send(zip("POST", "three", gated(zip, 1000, begun, gate))));
      begun.acquire();
      HttpResponse tooMany = send(zip("POST", "four", new HttpBody.Stream(forbidden(), 10)));
      HttpResponse ofAnother =
          send(zip("POST", "six", stream(zip)).withHeader("X-Easyfaas-Account-Id", "another"));
      HttpResponse withoutCode = send(document("POST", stream("{}".getBytes(UTF_8))));
      gate.release(2);

      assertThat(tooMuch.status()).isEqualTo(503);
      assertThat(tooMuch.header("Retry-After")).isPresent();
      assertThat(tooMuch.text()).contains("1 uploads of 256KiB are under way");
      assertThat(tooMany.status()).isEqualTo(503);
      assertThat(tooMany.text()).contains("2 uploads");
      assertThat(ofAnother.status()).as(ofAnother.text()).isEqualTo(200);
      assertThat(withoutCode.status()).isEqualTo(200);
      assertThat(first.get().status()).isEqualTo(200);
      assertThat(second.get().status()).isEqualTo(200);
    }
    assertThat(send(zip("POST", "five", stream(zip))).status()).isEqualTo(200);
  }

  @Test
  void theRoomIsCrowdedForAWhileWhenSomebodyWasRefused() {
    AtomicLong now = new AtomicLong();
    UploadRoom room = new UploadRoom(2, ByteSize.ofMebibytes(1), now::get);
    try (UploadRoom.Place _ = room.enter("one", 1)) {
      assertThat(room.isCrowded()).isFalse();

      assertThatThrownBy(() -> room.enter("one", 1 << 20)).isInstanceOf(ApiException.class);
    }

    assertThat(room.isCrowded()).isTrue();
    now.set(Duration.ofSeconds(10).toNanos());
    assertThat(room.isCrowded()).isFalse();
  }

  @Test
  void anUploadHasItsPlaceUntilItIsStored() throws IOException {
    byte[] zip = Zips.of("a.js");
    UploadReader reader =
        new UploadReader(store, new ByteSize(MAX_CODE), new UploadRoom(1, ByteSize.ofMebibytes(1)));
    Account other = new Account("other");

    try (FunctionUpload _ = reader.read(Account.DEFAULT, zip("POST", "one", stream(zip)))) {
      assertThatThrownBy(() -> reader.read(other, zip("POST", "two", stream(zip))))
          .isInstanceOf(ApiException.class)
          .hasMessageContaining("1 uploads");
    }
    reader.read(other, zip("POST", "two", stream(zip))).close();
  }

  private static HttpBody.Stream stream(byte[] bytes) {
    return new HttpBody.Stream(new ByteArrayInputStream(bytes), bytes.length);
  }

  /// A body that waits once somebody reads it.
  private static HttpBody.Stream gated(byte[] bytes, long length, Semaphore begun, Semaphore gate) {
    InputStream waits =
        onRead(() -> {
          begun.release();
          gate.acquireUninterruptibly();
        });
    return new HttpBody.Stream(
        new SequenceInputStream(waits, new ByteArrayInputStream(bytes)), length);
  }

  private static InputStream forbidden() {
    return onRead(() -> {
      throw new AssertionError("nobody may read this");
    });
  }

  private static InputStream broken() {
    return onRead(() -> {
      throw new IOException("the client left");
    });
  }

  /// What happens when a stream is read.
  @FunctionalInterface
  private interface Reading {
    void happen() throws IOException;
  }

  /// A stream without bytes.
  private static InputStream onRead(Reading reading) {
    return new FilterInputStream(InputStream.nullInputStream()) {
      @Override
      public int read() throws IOException {
        reading.happen();
        return -1;
      }

      @Override
      public int read(byte[] target, int offset, int length) throws IOException {
        return read();
      }
    };
  }

  private static HttpRequest zip(String method, String target, HttpBody body) {
    return HttpRequest.of(method, V1 + target, body).withHeader("Content-Type", "application/zip");
  }

  private static HttpRequest document(String method, HttpBody body) {
    return HttpRequest.of(method, V1 + "hello", body);
  }

  private FunctionDocument get(String name) {
    return Json.PASCAL.read(send(HttpRequest.of("GET", V1 + name)).body(), FunctionDocument.class);
  }

  private HttpResponse send(HttpRequest request) {
    try {
      return routes.handle(request);
    } catch (ApiException e) {
      return HttpResponse.error(e);
    }
  }
}
