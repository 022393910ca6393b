package io.easyfaas.common.zip;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.disk.DiskUse;
import io.easyfaas.common.zip.WeirdZips.WeirdZip;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class ZipArchiveTest {
  private static final ZipLimits SMALL = new ZipLimits(5, 4096, 10, 512, 100);

  @TempDir private Path directory;

  static List<WeirdZip> weird() {
    return WeirdZips.all();
  }

  @ParameterizedTest
  @MethodSource("weird")
  void everyWeirdZipIsTakenOrRefusedByName(WeirdZip zip) throws IOException {
    if (zip.isTaken()) {
      verify(zip.bytes(), ZipLimits.STANDARD);
    } else {
      refused(zip.bytes(), ZipLimits.STANDARD, zip.refusal());
    }
  }

  @Test
  void directoriesFilesAndLinksAreToldApart() throws IOException {
    byte[] zip =
        new ZipBuilder()
            .file("deep/er/b.txt", "b")
            .directory("lib/")
            .add("run", ZipBuilder.EXECUTABLE, "#!".getBytes(UTF_8), header -> header)
            .link("lib/up", "../run")
            .build();

    try (ZipArchive archive = open(zip, ZipLimits.STANDARD)) {
      assertThat(archive.directories()).containsExactly("deep", "deep/er", "lib");
      assertThat(archive.files()).containsOnlyKeys("deep/er/b.txt", "run");
      assertThat(archive.files().get("run")).returns(true, ZipEntryHeader::isExecutable);
      assertThat(archive.files().get("deep/er/b.txt")).returns(false, ZipEntryHeader::isExecutable);
      assertThat(archive.links()).containsExactly(java.util.Map.entry("lib/up", "../run"));
      assertThat(archive.use(4096)).isEqualTo(new DiskUse(4096 * 7, 7));
    }
  }

  @Test
  void contentIsRead() throws IOException {
    byte[] random = incompressible(200_000);
    byte[] zip =
        new ZipBuilder().stored("s", random).add("d", ZipBuilder.FILE, random, h -> h).build();

    try (ZipArchive archive = open(zip, ZipLimits.STANDARD)) {
      for (String name : List.of("s", "d")) {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        archive.read(name, content);
        assertThat(content.toByteArray()).isEqualTo(random);
      }
      assertThatThrownBy(() -> archive.read("x", new ByteArrayOutputStream()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("entry: \"x\" (expected: one of the archive's)");
    }
  }

  @Test
  void aLargeDirectoryIsReadInPieces() throws IOException {
    ZipBuilder zip = new ZipBuilder();
    for (int i = 0; i < 10_000; i++) {
      zip.file("some/directory/with/a/long/name/" + i, "");
    }

    try (ZipArchive archive = open(zip.build(), ZipLimits.STANDARD)) {
      assertThat(archive.files())
          .hasSize(10_000)
          .containsKey("some/directory/with/a/long/name/9999");
    }
  }

  @Test
  void sizesAreCheckedBeforeAnythingIsUnpacked() {
    refused(new ZipBuilder().file("zeros", "0".repeat(4000)).build(), SMALL, "entry \"zeros\"");
    refused(
        new ZipBuilder()
            .add("a", ZipBuilder.FILE, incompressible(500), header -> header)
            .add("b", ZipBuilder.FILE, incompressible(3600), header -> header)
            .build(),
        SMALL,
        "unpacks to more than it may with entry \"b\" (expected: at most 4096 bytes, and from 512"
            + " on at most 10 times the zip)");
    ZipBuilder many = new ZipBuilder();
    for (int i = 0; i < 6; i++) {
      many.file("f" + i, "");
    }
    refused(many.build(), SMALL, "has 6 entries (expected: at most 5)");
    refused(
        new ZipBuilder()
            .add("a", ZipBuilder.FILE, new byte[1], header -> header.withSize(0xFFFFFFFFL))
            .build(),
        ZipLimits.STANDARD,
        "has a damaged size");
    refused(
        new ZipBuilder()
            .add("a", ZipBuilder.FILE, new byte[1], header -> header.withOffset(1 << 30))
            .build(),
        ZipLimits.STANDARD,
        "lies outside");
    refused(
        new ZipBuilder()
            .add("a", ZipBuilder.FILE, new byte[1], header -> header.withCompressedSize(1 << 30))
            .build(),
        ZipLimits.STANDARD,
        "lies outside");
  }

  @Test
  void everyTruncatedArchiveIsRefused() throws IOException {
    byte[] whole = new ZipBuilder().file("a", "some text").link("b", "a").build();
    for (int length = 0; length < whole.length; length++) {
      byte[] part = Arrays.copyOf(whole, length);
      assertThatExceptionOfType(BadZipException.class)
          .as("first %d bytes", length)
          .isThrownBy(() -> verify(part, ZipLimits.STANDARD));
    }
  }

  @Test
  void flippedBytesAreRefusedOrHarmless() throws IOException {
    byte[] whole = new ZipBuilder().file("d/a", "some text").link("b", "d/a").build();
    for (int at = 0; at < whole.length; at++) {
      byte[] damaged = whole.clone();
      damaged[at] ^= (byte) 0x55;
      try (ZipArchive archive = open(damaged, ZipLimits.STANDARD)) {
        archive.verify();
        assertThat(archive.files().keySet()).allMatch(name -> !name.contains(".."));
      } catch (BadZipException _) {
        // Refused is right; so is a flip in a field nobody needs, such as the time.
      }
    }
  }

  private void refused(byte[] zip, ZipLimits limits, String message) {
    assertThatExceptionOfType(BadZipException.class)
        .isThrownBy(() -> verify(zip, limits))
        .withMessageContaining(message);
  }

  private void verify(byte[] zip, ZipLimits limits) throws IOException {
    try (ZipArchive archive = open(zip, limits)) {
      archive.verify();
    }
  }

  private ZipArchive open(byte[] zip, ZipLimits limits) throws IOException {
    return ZipArchive.open(Files.write(directory.resolve("code.zip"), zip), limits);
  }

  private static byte[] incompressible(int length) {
    byte[] bytes = new byte[length];
    new Random(7).nextBytes(bytes);
    return bytes;
  }
}
