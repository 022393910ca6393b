package io.easyfaas.funclet.code;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.easyfaas.common.zip.BadZipException;
import io.easyfaas.common.zip.ZipArchive;
import io.easyfaas.common.zip.ZipBuilder;
import io.easyfaas.common.zip.ZipLimits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ZipExtractorTest {
  @TempDir private Path directory;
  private Path target;

  @BeforeEach
  void makeTarget() throws IOException {
    target = Files.createDirectory(directory.resolve("target"));
  }

  @Test
  void filesKeepTheirContentAndTheirExecutableBit() throws IOException {
    extract(
        new ZipBuilder()
            .directory("lib/")
            .file("lib/a.js", "a")
            .file("deep/er/b.txt", "b".repeat(200_000))
            .stored("stored", "as it is".getBytes(UTF_8))
            .add("run", ZipBuilder.EXECUTABLE, "#!".getBytes(UTF_8), header -> header)
            .file("empty", ""));

    assertThat(target.resolve("lib/a.js")).hasContent("a");
    assertThat(target.resolve("deep/er/b.txt")).hasSize(200_000);
    assertThat(target.resolve("stored")).hasContent("as it is");
    assertThat(target.resolve("empty")).isEmptyFile();
    assertThat(permissions("lib/a.js")).isEqualTo("rw-r--r--");
    assertThat(permissions("run")).isEqualTo("rwxr-xr-x");
    assertThat(permissions("lib")).isEqualTo("rwxr-xr-x");
    assertThat(permissions("deep/er")).isEqualTo("rwxr-xr-x");
  }

  @Test
  void linksWithinTheArchiveAreMade() throws IOException {
    extract(
        new ZipBuilder()
            .file("lib/v2/a.js", "a")
            .link("lib/current", "v2")
            .link("a.js", "./lib/current/a.js")
            .link("lib/v2/up", "../../lib"));

    assertThat(target.resolve("a.js")).isSymbolicLink().hasContent("a");
    assertThat(Files.readSymbolicLink(target.resolve("lib/current"))).hasToString("v2");
  }

  @Test
  void whatTheArchiveLiesAboutIsNotCompleted() {
    assertThatExceptionOfType(BadZipException.class)
        .isThrownBy(() ->
            extract(
                new ZipBuilder()
                    .add("a", ZipBuilder.FILE, "x".getBytes(UTF_8), header -> header.withCrc(1))))
        .withMessageContaining("wrong checksum");
  }

  private void extract(ZipBuilder zip) throws IOException {
    try (ZipArchive archive =
        ZipArchive.open(zip.write(directory.resolve("code.zip")), ZipLimits.STANDARD)) {
      ZipExtractor.extract(archive, target);
    }
  }

  private String permissions(String path) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(target.resolve(path)));
  }
}
