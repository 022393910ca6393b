package io.easyfaas.common.zip;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.zip.ZipBuilder.Header;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/// Archives that readers disagree about, each with what the engine says to it. Whoever takes code
/// must say the same.
public final class WeirdZips {
  private WeirdZips() {}

  /// One archive.
  ///
  /// @param name what is weird about it
  /// @param refusal a part of the message; empty when it is taken
  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  public record WeirdZip(String name, byte[] bytes, String refusal) {
    /// Whether it is to be taken.
    public boolean isTaken() {
      return refusal.isEmpty();
    }

    @Override
    public String toString() {
      return name;
    }
  }

  /// Every one.
  public static List<WeirdZip> all() {
    return List.of(
        taken("ordinary", ordinary()),
        taken("upper and lower case", ordinary().file("INDEX.JS", "x")),
        taken("dots and empty segments", ordinary().file("./a//b/./c", "x")),
        taken(
            "directories written with dots",
            ordinary().directory("./").directory("lib/./").file("lib/./x", "x")),
        taken(
            "a directory twice", ordinary().directory("lib/").directory("lib/").file("lib/x", "x")),
        taken("a directory without a slash", ordinary().directory("lib").file("lib/x", "x")),
        taken("a name of 255 bytes", ordinary().file("x".repeat(255), "x")),
        taken("a link that stays inside", ordinary().link("lib/main.js", "../index.js")),
        taken("a link to what is not there", ordinary().link("link", "nothing")),
        taken("control characters in a name", ordinary().file("a\nb\u001B", "x")),
        taken(
            "as java.util.zip writes it, with sizes after the data and a comment",
            streamed("PK\5\6 is not the end")),
        taken("9 MiB of zeros", ordinary().file("zeros", "\0".repeat(9 << 20))),
        refused("nothing", new byte[0], "is not a zip"),
        refused("text", "exports.handler = () => {}".getBytes(UTF_8), "is not a zip"),
        refused("no entry", new ZipBuilder().build(), "has no file"),
        refused("directories only", new ZipBuilder().directory("lib/"), "has no file"),
        refused(
            "a line before it",
            join("#!/bin/sh\n".getBytes(UTF_8), ordinary().build()),
            "something before it"),
        refused("bytes after it", join(ordinary().build(), new byte[3]), "something after it"),
        refused(
            "its end is missing", Arrays.copyOf(ordinary().build(), 100), "does not end as a zip"),
        refused(
            "a pipe", ordinary().add("p", ZipBuilder.PIPE, new byte[0], h -> h), "has entry \"p\""),
        refused("a device", ordinary().add("d", 0020644, new byte[0], h -> h), "has entry \"d\""),
        refused("a name of 256 bytes", ordinary().file("x".repeat(256), "x"), "at most 255 bytes"),
        refused(
            "a path of 1,025 bytes",
            ordinary()
                .file("x".repeat(204) + "/x".repeat(10) + ("/" + "é".repeat(100)).repeat(4), "x"),
            "at most 1024 bytes"),
        refused(
            "a name of 65,000 bytes",
            ordinary().file("文" + "x".repeat(64_997), "x"),
            "a name of 65000 bytes (expected: at most 1024 bytes)"),
        refused(
            "names that are long together",
            longNames(5_000),
            "names of more than 4194304 characters"),
        refused(
            "directories whose names are long together",
            windingNames(100),
            "directories and targets of links of at most 1048576 characters"),
        refused(
            "targets of links that are long together",
            longTargets(1_100),
            "directories and targets of links of at most 1048576 characters"),
        taken("directories that are deep", windingNames(10)),
        refused(
            "65 directories deep",
            ordinary().file("d/".repeat(65) + "x", "x"),
            "64 directories deep"),
        refused("20,000 implied directories", implied(), "20000 files and directories"),
        refused("links in circles", ordinary().link("a", "b").link("b", "a"), "goes in circles"),
        refused("a link to itself", ordinary().link("a", "a"), "goes in circles"),
        refused("a link out", ordinary().link("a", "../x"), "symbolic link \"a\""),
        refused("an absolute link", ordinary().link("a", "/etc/passwd"), "symbolic link \"a\""),
        refused(
            "a link out by way of another",
            ordinary().link("s/b", "..").link("s/c", "b/../x"),
            "symbolic link \"s/c\""),
        refused("an empty link", ordinary().link("a", ""), "symbolic link \"a\""),
        refused("a link with NUL", ordinary().link("a", "x\0y"), "symbolic link \"a\""),
        refused(
            "a link that is not UTF-8",
            ordinary().add("a", ZipBuilder.SYMLINK, new byte[] {(byte) 0xFF}, h -> h),
            "not UTF-8"),
        refused(
            "a link of 1,025 bytes", ordinary().link("a", "x/".repeat(513)), "symbolic link \"a\""),
        refused("a file below a link", ordinary().link("a", "b").file("a/x", "x"), "below it"),
        refused("a file and a directory", ordinary().file("a", "x").file("a/b", "x"), "below it"),
        refused("a name twice", ordinary().file("index.js", "y"), "twice"),
        refused("a name twice, written differently", ordinary().file("./index.js", "y"), "twice"),
        refused("an absolute name", ordinary().file("/etc/x", "x"), "has entry \"/etc/x\""),
        refused("a name with ..", ordinary().file("a/../../x", "x"), "no \"..\""),
        refused("a name with \\", ordinary().file("a\\b", "x"), "has entry \"a\\b\""),
        refused("a name with NUL", ordinary().file("a\0b", "x"), "has entry \"a?b\""),
        refused("a file without a name", ordinary().file("", "x"), "has entry \"\""),
        refused("a file named .", ordinary().file(".", "x"), "has entry \".\""),
        refused("a file named . in a directory", ordinary().file("a/.", "x"), "has entry \"a/.\""),
        refused("a link named as a directory", ordinary().link("a/", "b"), "has entry \"a/\""),
        refused(
            "a directory with content",
            ordinary().add("d/", ZipBuilder.DIRECTORY, new byte[3], h -> h),
            "with content"),
        refused("encrypted", lie(h -> h.withFlags(1)), "encrypted"),
        refused("an unknown method", lie(h -> h.withMethod(12)), "method 12"),
        refused("larger than it says", lie(h -> h.withSize(3)), "larger than the 3 bytes"),
        refused("smaller than it says", lie(h -> h.withSize(6)), "of 5 bytes (expected: 6"),
        refused("bytes behind its content", trailing(), "after the content of entry \"n\""),
        refused("another checksum", lie(h -> h.withCrc(1)), "wrong checksum"),
        refused("two different names", lie(h -> h.withLocalName("m")), "two different names"),
        refused("entries that overlap", overlapping(), "overlaps"),
        refused("a bomb", ordinary().file("zeros", "\0".repeat(20 << 20)), "200 times"),
        refused("20,001 entries", many(), "has 20001 entries"),
        refused("65,535 entries, as zip64 says it", saturated(), "more than 65,534 entries"),
        refused("its end on another disk", disk(4), "more than one disk"),
        refused("its directory on another disk", disk(6), "more than one disk"),
        refused("fewer entries on this disk than in all", disk(8), "more than one disk"),
        refused("an entry on another disk", entryOnAnotherDisk(), "more than one disk"),
        refused("an entry more than it says", hiding(), "more entries than it says"),
        refused("an entry before the first one listed", unlisted(0), "before its first entry"),
        refused("an entry between those listed", unlisted(1), "something after entry \"first\""),
        refused("an entry after those listed", unlisted(2), "something after entry \"second\""),
        refused("bytes before its end record", padded(), "between its directory and its end"),
        refused("stored, larger than it says", storedLie(), "stored entry \"s\" of 6 bytes"),
        refused("bytes after sizes that follow the data", afterSizes(), "that is not its sizes"));
  }

  private static ZipBuilder longNames(int count) {
    ZipBuilder zip = ordinary();
    for (int i = 0; i < count; i++) {
      zip.file("x".repeat(200) + ("/" + "y".repeat(200)).repeat(4) + i, "");
    }
    return zip;
  }

  /// Each through 63 directories that no other goes through: 32,000 characters for each 1,000.
  private static ZipBuilder windingNames(int count) {
    ZipBuilder zip = ordinary();
    for (int i = 0; i < count; i++) {
      zip.file("%04d/".formatted(i) + ("x".repeat(15) + "/").repeat(62) + "f", "");
    }
    return zip;
  }

  private static ZipBuilder longTargets(int count) {
    ZipBuilder zip = ordinary();
    for (int i = 0; i < count; i++) {
      zip.link("l" + i, "x".repeat(1000));
    }
    return zip;
  }

  /// A deflated entry with bytes behind its last block.
  private static ZipBuilder trailing() {
    byte[] content = "12345".getBytes(UTF_8);
    byte[] stream = {1, 5, 0, -6, -1, '1', '2', '3', '4', '5', 'h', 'i'};
    ZipBuilder zip = ordinary();
    return zip.write(zip.header("n", ZipBuilder.FILE, content, stream.length), stream);
  }

  private static ZipBuilder ordinary() {
    return new ZipBuilder().file("index.js", "exports.handler = async () => 1;");
  }

  private static WeirdZip taken(String name, ZipBuilder zip) {
    return new WeirdZip(name, zip.build(), "");
  }

  private static WeirdZip taken(String name, byte[] zip) {
    return new WeirdZip(name, zip, "");
  }

  private static WeirdZip refused(String name, ZipBuilder zip, String refusal) {
    return new WeirdZip(name, zip.build(), refusal);
  }

  private static WeirdZip refused(String name, byte[] zip, String refusal) {
    return new WeirdZip(name, zip, refusal);
  }

  private static ZipBuilder lie(UnaryOperator<Header> lie) {
    return ordinary().add("n", ZipBuilder.FILE, "12345".getBytes(UTF_8), lie);
  }

  private static ZipBuilder overlapping() {
    byte[] inner = new ZipBuilder().stored("b", "x".getBytes(UTF_8)).build();
    ZipBuilder zip = new ZipBuilder().stored("a", inner);
    byte[] content = "x".getBytes(UTF_8);
    return zip.listedOnly(
        zip.header("b", ZipBuilder.FILE, content, 1).withMethod(0).withOffset(31));
  }

  /// Three entries, one of which the directory does not have.
  private static ZipBuilder unlisted(int which) {
    byte[] content = "x".getBytes(UTF_8);
    ZipBuilder zip = new ZipBuilder();
    List<String> names = List.of("first", "second");
    for (int i = 0; i <= names.size(); i++) {
      if (i == which) {
        zip.unlisted("index.js", content);
      }
      if (i < names.size()) {
        zip.stored(names.get(i), content);
      }
    }
    return zip;
  }

  private static byte[] padded() {
    byte[] zip = ordinary().build();
    byte[] end = Arrays.copyOfRange(zip, zip.length - 22, zip.length);
    return join(join(Arrays.copyOf(zip, zip.length - 22), new byte[3]), end);
  }

  private static ZipBuilder storedLie() {
    ZipBuilder zip = ordinary();
    byte[] content = "123456".getBytes(UTF_8);
    return zip.write(
        zip.header("s", ZipBuilder.FILE, content, 6).withMethod(0).withSize(3), content);
  }

  /// The descriptor of the only entry, one byte longer.
  private static byte[] afterSizes() {
    byte[] zip = streamed("");
    ByteBuffer end = ByteBuffer.wrap(zip, zip.length - 22, 22).order(ByteOrder.LITTLE_ENDIAN);
    int directory = end.getInt(zip.length - 22 + 16);
    byte[] longer =
        join(
            join(Arrays.copyOf(zip, directory), new byte[1]),
            Arrays.copyOfRange(zip, directory, zip.length));
    ByteBuffer.wrap(longer).order(ByteOrder.LITTLE_ENDIAN).putInt(longer.length - 6, directory + 1);
    return longer;
  }

  private static ZipBuilder implied() {
    ZipBuilder zip = ordinary();
    IntStream.range(0, 2_000).forEach(i -> zip.file("d" + i + "/" + "d/".repeat(9) + "f", ""));
    return zip;
  }

  private static ZipBuilder many() {
    ZipBuilder zip = new ZipBuilder();
    IntStream.rangeClosed(0, 20_000).forEach(i -> zip.file("f" + i, ""));
    return zip;
  }

  private static byte[] saturated() {
    byte[] zip = ordinary().build();
    Arrays.fill(zip, zip.length - 14, zip.length - 10, (byte) 0xFF);
    return zip;
  }

  /// With another number at an offset in the end record.
  private static byte[] disk(int offset) {
    byte[] zip = ordinary().build();
    zip[zip.length - 22 + offset]++;
    return zip;
  }

  private static byte[] entryOnAnotherDisk() {
    byte[] zip = ordinary().build();
    ByteBuffer end = ByteBuffer.wrap(zip, zip.length - 22, 22).order(ByteOrder.LITTLE_ENDIAN);
    zip[end.getInt(zip.length - 22 + 16) + 34] = 1;
    return zip;
  }

  private static byte[] hiding() {
    byte[] zip = ordinary().file("hidden", "x").build();
    zip[zip.length - 14] = 1;
    zip[zip.length - 12] = 1;
    return zip;
  }

  private static byte[] streamed(String comment) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      zip.putNextEntry(new ZipEntry("köder/index.js"));
      zip.write("exports.handler".getBytes(UTF_8));
      zip.closeEntry();
      zip.setComment(comment);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private static byte[] join(byte[] first, byte[] second) {
    byte[] both = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, both, first.length, second.length);
    return both;
  }
}
