package io.easyfaas.funclet.code;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.disk.DiskUse;
import io.easyfaas.common.function.FunctionDocument.FunctionCode;
import io.easyfaas.common.zip.ZipBuilder;
import io.easyfaas.funclet.mount.SourceDirectories;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class OpenArchivesTest {
  private static final int FILES = 4_100;
  // 1,000 characters, and one that makes them take two bytes each.
  private static final String DEEP = "文/" + ("x".repeat(199) + "/").repeat(5);
  private static final int ARCHIVES = 3;
  private static final int HEAP_MEBIBYTES = 28;

  @TempDir private Path directory;

  @Test
  void archivesThatAreAsLargeAsTheyMayBeAreOpenInTurn() throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-Xmx" + HEAP_MEBIBYTES + "m",
                "-XX:+ExitOnOutOfMemoryError",
                "-cp",
                System.getProperty("java.class.path"),
                All.class.getName(),
                directory.toString()));
    for (int i = 0; i < ARCHIVES; i++) {
      command.add(archive(i));
    }

    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), UTF_8);

    assertThat(process.waitFor()).describedAs("a process, which says: %s", said).isZero();
  }

  /// Writes one whose names are the longest and need two bytes a character. Returns its hash.
  private String archive(int number) throws Exception {
    ZipBuilder zip = new ZipBuilder().file("index-" + number + ".js", "");
    for (int i = 1; i < FILES; i++) {
      zip.stored(DEEP + i, new byte[0]);
    }
    byte[] bytes = Files.readAllBytes(zip.write(directory.resolve(number + ".zip")));
    return Base64.getEncoder().encodeToString(MessageDigest.getInstance("SHA-256").digest(bytes));
  }

  /// Unpacks every archive of a directory at once.
  static final class All {
    private All() {}

    public static void main(String[] args) throws IOException {
      Path home = Path.of(args[0]);
      CodeCache cache =
          new CodeCache(
              home.resolve("cache"),
              new DiskUse(1L << 30, 1_000_000),
              new CodeFetcher(
                  64 << 20,
                  new CodePace(Duration.ofSeconds(10), 1),
                  new SourceDirectories(List.of(Path.of("/")))),
              InstantSource.system(),
              Runnable::run);
      cache.sweep("boot");
      List<CodeCache.Order> orders = new ArrayList<>();
      for (int i = 0; i < ARCHIVES; i++) {
        Path archive = home.resolve(i + ".zip");
        orders.add(
            cache.order(
                new FunctionCode(archive.toString(), "filesystem", null),
                new CodeKey("a".repeat(32), CodeHash.ofBase64(args[i + 1]))));
      }
      orders.forEach(order -> order.await(Duration.ofSeconds(60)).close());
    }
  }
}
