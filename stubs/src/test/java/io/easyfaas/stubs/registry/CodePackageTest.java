package io.easyfaas.stubs.registry;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.wire.ApiException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class CodePackageTest {
  @TempDir private Path directory = Path.of("");

  @Test
  void takesAnOrdinaryPackage() {
    assertThatCode(() ->
            check(Zips.of("index.js", "lib/", "lib/a.js", "lib/b/c.js", "./d.js", "a..b", "é")))
        .doesNotThrowAnyException();
  }

  @Test
  void theDefaultPackageIsTheSameEveryTimeAndValid() throws IOException {
    byte[] zip = CodePackage.helloWorld();

    check(zip);
    assertThat(zip).isEqualTo(CodePackage.helloWorld());
    assertThat(new String(zip, UTF_8)).contains("index.js", "index.py");
  }

  @ParameterizedTest
  @CsvSource({
    "../evil, a path without .. and empty segments",
    "a/../../evil, a path without .. and empty segments",
    "a//b, a path without .. and empty segments",
    "/etc/passwd, a relative path with forward slashes",
    "a\\b, a relative path with forward slashes",
    "'a/..', a path without .. and empty segments",
    "'../', a path without .. and empty segments",
    "., the name of a file",
  })
  void refusesNamesThatLeadElsewhere(String name, String expected) {
    assertRefused(
        Zips.of("index.js", name), "Code: entry: \"" + name + "\" (expected: " + expected + ")");
  }

  @Test
  void refusesAFileThatIsThereTwice() {
    byte[] twice = Zips.replaced(Zips.of("one.js", "two.js"), "two.js", "one.js");

    assertRefused(twice, "Code: entry: \"one.js\" (expected: every file once)");
    assertRefused(Zips.of("a.js", "./a.js"), "Code: entry: \"./a.js\" (expected: every file once)");
  }

  @Test
  void refusesAFileThatIsADirectoryToo() {
    assertRefused(
        Zips.of("a", "a/b"), "Code: entry: \"a\" (expected: a file or a directory, not both)");
  }

  @Test
  void refusesWhatHasNoFiles() {
    assertRefused(
        Zips.of("lib/"), "Code: a zip without files (expected: a zip with the handler's module)");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "PK", "exports.handler = () => {}", "PK\3\4 not really"})
  void refusesWhatIsNoZip(String text) {
    assertThatThrownBy(() -> check(text.getBytes(UTF_8)))
        .isInstanceOf(ApiException.class)
        .hasMessageContaining("Code: not a zip that can be unpacked: ");
  }

  @Test
  void refusesATruncatedPackage() {
    byte[] zip = Zips.of("index.js", "other.js");

    for (int length = 0; length < zip.length; length += 7) {
      byte[] part = Arrays.copyOf(zip, length);

      assertThatThrownBy(() -> check(part))
          .as("%d of %d bytes", length, zip.length)
          .isInstanceOf(ApiException.class);
    }
  }

  @Test
  void refusesAFlippedBitInACompressedFile() throws IOException {
    byte[] zip = Zips.ofZeros(4096);
    int data = 30 + "zeros".length() + 4;
    zip[data] ^= 0x10;

    assertThatThrownBy(() -> check(zip))
        .isInstanceOf(ApiException.class)
        .hasMessageContaining("Code: not a zip that can be unpacked: ");
  }

  @Test
  void refusesTooManyEntries() {
    String[] names =
        IntStream.rangeClosed(0, CodePackage.MAX_ENTRIES)
            .mapToObj(Integer::toString)
            .toArray(String[]::new);

    assertRefused(Zips.of(names), "Code: 20001 entries (expected: at most 20000)");
  }

  @Test
  void refusesAPackageThatUnpacksToFarMoreThanItIs() {
    assertRefused(
        Zips.ofZeros(20 << 20),
        "Code: a zip that unpacks to too much (expected: at most 256MiB, and at most 200 times the"
            + " zip)");
  }

  @Test
  void takesALittleOfWhatCompressesWell() {
    assertThatCode(() -> check(Zips.ofZeros(9 << 20))).doesNotThrowAnyException();
  }

  private void assertRefused(byte[] zip, String cause) {
    assertThatThrownBy(() -> check(zip))
        .isInstanceOf(ApiException.class)
        .hasMessage("InvalidParameterValueException: " + cause);
  }

  private void check(byte[] zip) throws IOException {
    CodePackage.check(Files.write(directory.resolve("code.zip"), zip));
  }
}
