package io.easyfaas.funclet.code;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.function.UnaryOperator;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ZipExtractorTest {
  private static final ZipPlan.Limits SMALL = new ZipPlan.Limits(5, 4096, 10, 512);

  @TempDir private Path directory;
  private Path target;

  @BeforeEach
  void makeTarget() throws IOException {
    target = Files.createDirectory(directory.resolve("target"));
  }

  @Test
  void filesKeepTheirContentAndTheirExecutableBit() throws IOException {
    ZipBuilder zip =
        new ZipBuilder()
            .directory("lib/")
            .file("lib/a.js", "a")
            .file("deep/er/b.txt", "b".repeat(200_000))
            .add("run", ZipBuilder.EXECUTABLE, "#!".getBytes(UTF_8), header -> header)
            .file("empty", "");

    long bytes = extract(zip);

    assertThat(bytes).isEqualTo(200_003);
    assertThat(target.resolve("lib/a.js")).hasContent("a");
    assertThat(target.resolve("deep/er/b.txt")).hasSize(200_000);
    assertThat(target.resolve("empty")).isEmptyFile();
    assertThat(permissions("lib/a.js")).isEqualTo("rw-r--r--");
    assertThat(permissions("run")).isEqualTo("rwxr-xr-x");
    assertThat(permissions("lib")).isEqualTo("rwxr-xr-x");
    assertThat(permissions("deep/er")).isEqualTo("rwxr-xr-x");
  }

  @Test
  void whatJavaWritesIsUnderstood() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      zip.putNextEntry(new ZipEntry("köder/index.js"));
      zip.write("exports.handler".getBytes(UTF_8));
      zip.closeEntry();
      zip.setComment("PK\5\6 is not the end");
    }
    Path archive = Files.write(directory.resolve("code.zip"), bytes.toByteArray());

    new ZipExtractor(ZipPlan.Limits.STANDARD).extract(archive, target);

    assertThat(target.resolve("köder/index.js")).hasContent("exports.handler");
  }

  @Test
  void storedEntriesAreCopied() throws IOException {
    extract(new ZipBuilder().stored("stored", "as it is".getBytes(UTF_8)));

    assertThat(target.resolve("stored")).hasContent("as it is");
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

  @ParameterizedTest
  @CsvSource({"/etc/passwd", "../../etc/passwd", "'',", "lib/../../x", "a/b/../../../x"})
  void linksOutOfTheArchiveAreRefused(String destination) {
    ZipBuilder zip = new ZipBuilder().link("link", destination == null ? "" : destination);

    refused(zip, "has the symbolic link \"link\" to");
  }

  @Test
  void aLinkThatLeavesByWayOfAnotherOneIsRefused() {
    // Read as text, b/../x stays inside. But b is the root itself, and its parent is outside.
    refused(
        new ZipBuilder().link("sub/b", "..").link("sub/c", "b/../x"),
        "has the symbolic link \"sub/c\"");
  }

  @Test
  void linksInCirclesAreRefused() {
    refused(new ZipBuilder().link("a", "b").link("b", "a"), "goes in circles");
  }

  @ParameterizedTest
  @ValueSource(strings = {"/etc/x", "../x", "a/../../x", "a/..", "a\\b", "..\\x", "a\0b", "C:\\x"})
  void namesThatLeaveTheDirectoryAreRefused(String name) {
    refused(new ZipBuilder().file(name, "x"), "has entry");
  }

  @Test
  void nothingLandsBelowALinkOrAFile() {
    refused(
        new ZipBuilder().link("a", "b").file("a/x", "x"),
        "has entry \"a/x\" below \"a\", which is no directory");
    refused(new ZipBuilder().file("a/x", "x").file("a", "x"), "below \"a\"");
  }

  @Test
  void aNameGivenTwiceIsRefused() {
    refused(new ZipBuilder().file("a", "1").file("a", "2"), "has entry \"a\" twice");
    refused(new ZipBuilder().file("a", "1").file("./a", "2"), "has entry \"./a\" twice");
  }

  @Test
  void devicesPipesAndUnknownMethodsAreRefused() {
    refused(
        new ZipBuilder().add("pipe", ZipBuilder.PIPE, new byte[0], header -> header),
        "has entry \"pipe\" (expected: a file, directory or symbolic link)");
    refused(
        new ZipBuilder().add("a", ZipBuilder.FILE, new byte[1], header -> header.withMethod(12)),
        "with compression method 12");
  }

  @Test
  void encryptedEntriesAreRefused() {
    refused(
        new ZipBuilder().add("a", ZipBuilder.FILE, new byte[1], header -> header.withFlags(1)),
        "has the encrypted entry \"a\"");
  }

  @Test
  void sizesThatLieAreRefused() {
    byte[] content = "x".repeat(100).getBytes(UTF_8);
    refused(
        lying(content, header -> header.withSize(99)), "larger than the 99 bytes it says itself");
    refused(lying(content, header -> header.withSize(101)), "of 100 bytes (expected: 101");
    refused(
        lying(content, header -> header.withCompressedSize(header.compressedSize() - 1)),
        "truncated entry \"a\"");
    refused(lying(content, header -> header.withCompressedSize(1 << 30)), "lies outside");
    refused(lying(content, header -> header.withSize(0xFFFFFFFFL)), "has a damaged size");
    refused(lying(content, header -> header.withCrc(1)), "wrong checksum");
    refused(lying(content, header -> header.withLocalName("b")), "has two different names");
    refused(lying(content, header -> header.withOffset(1 << 30)), "lies outside");
  }

  @Test
  void entriesThatShareBytesAreRefused() {
    // A whole archive lies in entry "a", and its entry "b" is listed in the outer directory too.
    byte[] inner = new ZipBuilder().stored("b", "x".getBytes(UTF_8)).build();
    ZipBuilder zip = new ZipBuilder().stored("a", inner);
    ZipBuilder.Header b =
        zip.header("b", ZipBuilder.FILE, "x".getBytes(UTF_8), 1).withMethod(0).withOffset(31);

    refused(zip.listedOnly(b), "has entry \"b\" that overlaps another one");
  }

  @Test
  void bombsAreRefusedBeforeTheyAreUnpacked() {
    refused(
        new ZipBuilder().file("zeros", "0".repeat(4000)),
        SMALL,
        "has entry \"zeros\" that unpacks from");
    refused(
        new ZipBuilder()
            .file("a", "0".repeat(500))
            .add("b", ZipBuilder.FILE, incompressible(3600), header -> header),
        SMALL,
        "unpacks to more than 4096 bytes with entry \"b\"");
    ZipBuilder many = new ZipBuilder();
    for (int i = 0; i < 6; i++) {
      many.file("f" + i, "");
    }
    refused(many, SMALL, "has 6 entries (expected: at most 5)");
    assertThat(target).isEmptyDirectory();
  }

  @Test
  void everyTruncatedArchiveIsRefused() throws IOException {
    byte[] whole = new ZipBuilder().file("a", "some text").link("b", "a").build();
    for (int length = 0; length < whole.length; length++) {
      Path archive = Files.write(directory.resolve("code.zip"), Arrays.copyOf(whole, length));
      assertThatExceptionOfType(BadArchiveException.class)
          .as("first %d bytes", length)
          .isThrownBy(() -> new ZipExtractor(ZipPlan.Limits.STANDARD).extract(archive, target));
    }
  }

  @Test
  void flippedBytesNeverEscapeOrCrash() throws IOException {
    byte[] whole = new ZipBuilder().file("d/a", "some text").link("b", "d/a").build();
    for (int at = 0; at < whole.length; at++) {
      byte[] damaged = whole.clone();
      damaged[at] ^= (byte) 0x55;
      Path archive = Files.write(directory.resolve("code.zip"), damaged);
      Path out = Files.createDirectory(directory.resolve("flip" + at));
      try {
        new ZipExtractor(ZipPlan.Limits.STANDARD).extract(archive, out);
      } catch (BadArchiveException _) {
        // Refused is right; so is a flip in a field nobody needs, such as the time.
      }
    }
    try (var children = Files.list(directory)) {
      assertThat(children.map(path -> path.getFileName().toString()))
          .allMatch(name -> name.matches("flip\\d+|code.zip|target"));
    }
  }

  private static ZipBuilder lying(byte[] content, UnaryOperator<ZipBuilder.Header> lie) {
    return new ZipBuilder().add("a", ZipBuilder.FILE, content, lie);
  }

  private static byte[] incompressible(int length) {
    byte[] bytes = new byte[length];
    new java.util.Random(7).nextBytes(bytes);
    return bytes;
  }

  private long extract(ZipBuilder zip) throws IOException {
    return new ZipExtractor(ZipPlan.Limits.STANDARD)
        .extract(zip.write(directory.resolve("code.zip")), target);
  }

  private void refused(ZipBuilder zip, String message) {
    refused(zip, ZipPlan.Limits.STANDARD, message);
  }

  private void refused(ZipBuilder zip, ZipPlan.Limits limits, String message) {
    assertThatExceptionOfType(BadArchiveException.class)
        .isThrownBy(() ->
            new ZipExtractor(limits)
                .extract(
                    zip.write(directory.resolve("code.zip")),
                    Files.createTempDirectory(directory, "refused")))
        .withMessageContaining(message);
  }

  private String permissions(String path) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(target.resolve(path)));
  }
}
