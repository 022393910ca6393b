package io.easyfaas.stubs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.function.FunctionConfiguration;
import io.easyfaas.common.function.FunctionDocument;
import io.easyfaas.common.http.EventLoops;
import io.easyfaas.common.http.HttpAddress;
import io.easyfaas.common.http.HttpClient;
import io.easyfaas.common.http.HttpRequest;
import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.json.Json;
import io.easyfaas.stubs.registry.UploadLimits;
import io.easyfaas.stubs.store.StoreLimits;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The registry on a file system of 4 MiB that runs full. Needs root, to mount it.
@Timeout(120)
final class FullDiskIT {
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final int CODE_BYTES = 1024 * 1024;

  @TempDir private Path directory = Path.of("");

  private boolean mounted;

  private record FunctionList(List<FunctionConfiguration> functions) {}

  @BeforeEach
  void mount() throws Exception {
    boolean isRoot = ProcessHandle.current().info().user().filter("root"::equals).isPresent();
    if (!isRoot && "1".equals(System.getenv("EASYFAAS_MUST_RUN"))) {
      throw new AssertionError("not root, but EASYFAAS_MUST_RUN=1");
    }
    assumeTrue(isRoot, "needs root to mount a tmpfs");
    run(
        "mount",
        "-t",
        "tmpfs",
        "-o",
        "size=4m,nr_inodes=200",
        "easyfaas-stubs",
        directory.toString());
    mounted = true;
    Path runtime = Files.createDirectories(directory.resolve("runtimes/nodejs20"));
    Files.writeString(
        runtime.resolve("runtime.json"),
        "{\"Name\":\"nodejs20\",\"Bin\":\"/b\",\"Path\":\"/p\",\"Aliases\":[\"nodejs8.5\"]}");
  }

  @AfterEach
  void unmount() throws Exception {
    if (mounted) {
      run("umount", directory.toString());
    }
    assertThat(Files.readString(Path.of("/proc/self/mounts"))).doesNotContain("easyfaas-stubs");
  }

  @Test
  void answers503WhenTheDiskIsFullAndLosesNothing() throws IOException {
    try (EventLoops loops = new EventLoops(1);
        Stubs stubs = Stubs.start(config(), loops)) {
      try (HttpClient client = new HttpClient(stubs.address(), loops)) {
        int stored = 0;
        HttpResponse response = create(client, stored);
        while (response.status() == 200) {
          stored++;
          response = create(client, stored);
        }

        assertThat(stored).isBetween(1, 4);
        assertThat(response.status()).isEqualTo(503);
        assertThat(response.header("Retry-After")).isPresent();
        assertThat(response.text())
            .contains("ServiceUnavailableException")
            .contains("no space left in " + directory.resolve("functions"));
        assertThat(directory.resolve("functions/.incoming")).isEmptyDirectory();
        assertStored(client, stored);

        // An update that does not fit leaves the function as it was.
        assertThat(send(client, "PUT", 0, code(99)).status()).isEqualTo(503);
        assertStored(client, stored);

        // What is deleted makes room.
        send(client, "DELETE", 0, "");
        assertThat(create(client, 0).status()).isEqualTo(200);
        assertStored(client, stored);
      }
    }
  }

  @Test
  void whatIsStoredCanBeDeletedWhenNothingAtAllCanBeWritten() throws IOException {
    try (EventLoops loops = new EventLoops(1);
        Stubs stubs = Stubs.start(config(), loops);
        HttpClient client = new HttpClient(stubs.address(), loops)) {
      assertThat(create(client, 0).status()).isEqualTo(200);
      assertThat(create(client, 1).status()).isEqualTo(200);
      assertThat(publish(client, 1)).isEqualTo(201);
      fill();

      assertThat(create(client, 2).status()).isEqualTo(503);
      assertThat(delete(client, "f1?Qualifier=1")).isEqualTo(204);
      assertThat(delete(client, "f0")).isEqualTo(204);
      assertThat(delete(client, "f1")).isEqualTo(204);

      assertStored(client, 0);
    }
    try (EventLoops loops = new EventLoops(1);
        Stubs stubs = Stubs.start(config(), loops);
        HttpClient client = new HttpClient(stubs.address(), loops)) {
      assertThat(create(client, 0).status()).isEqualTo(200);
      assertStored(client, 1);
    }
  }

  /// Leaves neither a block nor an inode.
  private void fill() throws IOException {
    byte[] block = new byte[4096];
    try (OutputStream filler = Files.newOutputStream(directory.resolve("filler"))) {
      while (true) {
        filler.write(block);
      }
    } catch (IOException _) {
      // No block is left.
    }
    try {
      for (int i = 0; ; i++) {
        Files.createFile(directory.resolve("inode-" + i));
      }
    } catch (IOException _) {
      // No inode is left.
    }
  }

  private static int publish(HttpClient client, int number) {
    return client
        .send(HttpRequest.of("POST", "/v1/functions/f" + number + "/versions"), LONG)
        .status();
  }

  private static int delete(HttpClient client, String function) {
    return client.send(HttpRequest.of("DELETE", "/v1/functions/" + function), LONG).status();
  }

  private StubsConfig config() {
    return new StubsConfig(
        new HttpAddress.Tcp("127.0.0.1", 0),
        directory.resolve("functions"),
        directory.resolve("runtimes"),
        new UploadLimits(ByteSize.ofMebibytes(8), 4, ByteSize.ofMebibytes(32)),
        StoreLimits.NONE);
  }

  private void assertStored(HttpClient client, int count) throws IOException {
    HttpResponse list = client.send(HttpRequest.of("GET", "/v1/functions"), LONG);
    assertThat(Json.PASCAL.read(list.body(), FunctionList.class).functions()).hasSize(count);
    for (int i = 0; i < count; i++) {
      FunctionDocument document =
          Json.PASCAL.read(send(client, "GET", i, "").body(), FunctionDocument.class);
      byte[] zip = Files.readAllBytes(Path.of(document.code().location()));
      assertThat(zip).isEqualTo(zip(i));
    }
    try (Stream<Path> entries = Files.list(directory.resolve("functions"))) {
      assertThat(entries.filter(entry -> entry.getFileName().toString().startsWith("brn:")))
          .hasSize(count);
    }
  }

  private static HttpResponse create(HttpClient client, int number) throws IOException {
    return send(client, "POST", number, code(number));
  }

  private static HttpResponse send(HttpClient client, String method, int number, String body) {
    return client.send(
        HttpRequest.of(method, "/v1/functions/f" + number, body.getBytes(UTF_8)), LONG);
  }

  private static String code(int seed) throws IOException {
    return "{\"Code\":\"" + Base64.getEncoder().encodeToString(zip(seed)) + "\"}";
  }

  private static byte[] zip(int seed) throws IOException {
    byte[] content = new byte[CODE_BYTES];
    new Random(seed).nextBytes(content);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      ZipEntry entry = new ZipEntry("data");
      entry.setTime(0);
      zip.putNextEntry(entry);
      zip.write(content);
      zip.closeEntry();
    }
    return bytes.toByteArray();
  }

  private static void run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).inheritIO().start();
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(String.join(" ", command)).isZero();
  }
}
