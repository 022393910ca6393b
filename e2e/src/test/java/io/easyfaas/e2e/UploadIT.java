package io.easyfaas.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/// Code that is larger than the memory goes through the engine and the command line, both with the
/// heap they are shipped with.
@EndToEnd
final class UploadIT {
  private static final int MEBIBYTE = 1024 * 1024;
  private static final int UPLOADS = 8;
  private static final int UPLOAD_MEBIBYTES = 200;
  private static final int MAX_RISE_MEBIBYTES = 64;
  private static final Duration DEADLINE = Duration.ofMinutes(5);
  private static final String FLAG = "--max-code-size=512MiB";

  @RegisterExtension private static final Leaks LEAKS = new Leaks();
  private static EngineHome home;
  private static EngineProcess engine;

  @TempDir private static Path work;
  private static Large large;

  /// A zip that cannot be compressed.
  ///
  /// @param sha256 base64
  private record Large(Path zip, String sha256) {}

  @BeforeAll
  static void start() throws Exception {
    home = LEAKS.home();
    engine = launch();
    large = noise(work.resolve("large.zip"), UPLOAD_MEBIBYTES);
    // What an upload needs once is there before anything is measured.
    Large small = noise(work.resolve("small.zip"), 4);
    assertThat(engine.send(zip("small", small.zip())).status()).isEqualTo(200);
    assertThat(engine.send(document("small", small.zip())).status()).isEqualTo(200);
  }

  @AfterEach
  void nothingIsLeftOnTheWay() {
    Eventually.isTrue("no upload is left", Duration.ofSeconds(30), () -> incoming().isEmpty());
  }

  @Test
  void eightUploadsAtOnceTakeNoMemory() throws Exception {
    engine.create(FunctionSpec.node("innocent", "exports.handler = async () => 'served';"));
    assertThat(engine.call("innocent", "{}")).isEqualTo("served");
    long before = residentMebibytes();
    long most = before;
    List<CompletableFuture<Answer>> uploads = new ArrayList<>();
    for (int i = 0; i < UPLOADS; i++) {
      uploads.add(
          engine.sendAsync(
              i % 2 == 0 ? zip("large" + i, large.zip()) : document("large" + i, large.zip())));
    }
    CompletableFuture<Void> all =
        CompletableFuture.allOf(uploads.toArray(CompletableFuture[]::new));
    while (!all.isDone()) {
      most = Math.max(most, residentMebibytes());
      assertThat(engine.call("innocent", "{}")).isEqualTo("served");
      TimeUnit.MILLISECONDS.sleep(50); // Between two looks.
    }

    for (int i = 0; i < UPLOADS; i++) {
      Answer answer = uploads.get(i).get(1, TimeUnit.SECONDS);
      assertThat(answer.status()).describedAs("upload %s: %s", i, answer).isEqualTo(200);
      assertThat(configuration("large" + i)).contains(large.sha256());
      remove("large" + i);
    }
    assertThat(most - before)
        .describedAs("MiB of resident memory, from %s", before)
        .isLessThanOrEqualTo(MAX_RISE_MEBIBYTES);
  }

  @Test
  void theLargestPackageIsStored() throws Exception {
    Large largest = noise(work.resolve("largest.zip"), 511);

    assertThat(engine.send(zip("largest", largest.zip())).status()).isEqualTo(200);

    assertThat(configuration("largest")).contains(largest.sha256());
    remove("largest");
    Files.delete(largest.zip());
  }

  @Test
  void anUploadThatIsAbandonedLeavesNothing() throws IOException {
    try (Socket _ = beginUpload("abandoned")) {
      awaitIncoming();
    }

    Eventually.isTrue("its file is gone", Duration.ofSeconds(30), () -> incoming().isEmpty());
    assertThat(engine.send(engine.registry("/v1/functions/abandoned").GET()).status())
        .isEqualTo(404);
  }

  @Test
  void anEngineThatIsKilledDuringAnUploadLeavesNothing() throws IOException {
    try (Socket _ = beginUpload("killed")) {
      awaitIncoming();
      engine.kill9();
    }
    assertThat(incoming()).isNotEmpty();

    engine = launch();

    assertThat(incoming()).isEmpty();
    assertThat(engine.send(engine.registry("/v1/functions/killed").GET()).status()).isEqualTo(404);
  }

  @Test
  void theCommandLineUploadsMoreThanItsMemory() throws Exception {
    Path code = Files.createDirectory(work.resolve("code"));
    Files.writeString(code.resolve("index.js"), "exports.handler = async () => 'large';");
    Random random = new Random(1);
    byte[] piece = new byte[MEBIBYTE];
    try (OutputStream file =
        new BufferedOutputStream(Files.newOutputStream(code.resolve("noise.bin")))) {
      for (int i = 0; i < 300; i++) {
        random.nextBytes(piece);
        file.write(piece);
      }
    }
    Path out = work.resolve("cli.out");

    Process cli =
        script("function", "create", "by-cli", "--code", code.toString(), "--runtime", "nodejs")
            .redirectErrorStream(true)
            .redirectOutput(out.toFile())
            .start();
    assertThat(cli.waitFor(DEADLINE.toSeconds(), TimeUnit.SECONDS)).isTrue();

    assertThat(cli.exitValue()).describedAs(Files.readString(out)).isZero();
    // One line: nobody watches, so there is no bar.
    assertThat(Files.readString(out))
        .isEqualTo("created " + EngineProcess.brn("by-cli", "$LATEST") + "\n");
    remove("by-cli");
  }

  /// The engine as it is shipped, by its script.
  private static EngineProcess launch() {
    return home.startShipped("--container-num=2", FLAG);
  }

  private static ProcessBuilder script(String... arguments) {
    ProcessBuilder builder = new ProcessBuilder(Installation.shipped(List.of(arguments)));
    builder.environment().clear();
    builder.environment().putAll(home.environment());
    return builder;
  }

  private static HttpRequest.Builder zip(String name, Path file) throws IOException {
    return engine
        .registry("/v1/functions/" + name + "?Runtime=nodejs&Handler=index.handler")
        .timeout(DEADLINE)
        .header("Content-Type", "application/zip")
        .POST(BodyPublishers.ofFile(file));
  }

  /// The code as base64 in a document.
  private static HttpRequest.Builder document(String name, Path file) throws IOException {
    Path json = work.resolve(file.getFileName() + ".json");
    if (!Files.exists(json)) {
      try (OutputStream target = new BufferedOutputStream(Files.newOutputStream(json))) {
        target.write("{\"Runtime\":\"nodejs\",\"Code\":\"".getBytes(UTF_8));
        byte[] piece = new byte[3 * 64 * 1024];
        try (var source = Files.newInputStream(file)) {
          for (int n = source.readNBytes(piece, 0, piece.length);
              n > 0;
              n = source.readNBytes(piece, 0, piece.length)) {
            target.write(Base64.getEncoder().encode(Arrays.copyOf(piece, n)));
          }
        }
        target.write("\",\"Handler\":\"index.handler\"}".getBytes(UTF_8));
      }
    }
    return engine
        .registry("/v1/functions/" + name)
        .timeout(DEADLINE)
        .POST(BodyPublishers.ofFile(json));
  }

  /// Sends the half of an upload.
  private static Socket beginUpload(String name) throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), home.registryPort());
    OutputStream out = socket.getOutputStream();
    out.write(
        ("POST /v1/functions/"
                + name
                + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/zip\r\nContent-Length: "
                + 2 * MEBIBYTE
                + "\r\n\r\n")
            .getBytes(UTF_8));
    out.write(new byte[MEBIBYTE]);
    out.flush();
    return socket;
  }

  private static void awaitIncoming() {
    Eventually.isTrue("it is on the way", Duration.ofSeconds(30), () -> !incoming().isEmpty());
  }

  private static List<Path> incoming() {
    try (Stream<Path> files = Files.list(home.dataDirectory().resolve("functions/.incoming"))) {
      return files.toList();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static String configuration(String name) {
    return engine.send(engine.registry("/v1/functions/" + name).GET()).text();
  }

  private static void remove(String name) {
    assertThat(engine.send(engine.registry("/v1/functions/" + name).DELETE()).status())
        .isEqualTo(204);
  }

  private static long residentMebibytes() throws IOException {
    return Files.readAllLines(Path.of("/proc", Long.toString(engine.pid()), "status")).stream()
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) / 1024)
        .findFirst()
        .orElseThrow();
  }

  private static Large noise(Path file, int mebibytes)
      throws IOException, NoSuchAlgorithmException {
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    Random random = new Random(mebibytes);
    byte[] piece = new byte[MEBIBYTE];
    try (ZipOutputStream zip =
        new ZipOutputStream(
            new DigestOutputStream(
                new BufferedOutputStream(Files.newOutputStream(file)), digest))) {
      zip.setLevel(Deflater.NO_COMPRESSION);
      zip.putNextEntry(new ZipEntry("noise.bin"));
      for (int i = 0; i < mebibytes; i++) {
        random.nextBytes(piece);
        zip.write(piece);
      }
      zip.closeEntry();
    }
    return new Large(file, Base64.getEncoder().encodeToString(digest.digest()));
  }
}
