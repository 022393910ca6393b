package io.easyfaas.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.config.ConfigException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CodePackageTest {
  @TempDir private Path directory;

  @Test
  void packsADirectoryWithPathsRelativeToIt() throws IOException {
    Files.writeString(directory.resolve("index.js"), "main");
    Files.createDirectory(directory.resolve("lib"));
    Files.writeString(directory.resolve("lib/a.js"), "a");

    Map<String, String> entries = unzip(pack(directory));

    assertThat(entries).containsExactly(Map.entry("index.js", "main"), Map.entry("lib/a.js", "a"));
  }

  @Test
  void packsASingleFileUnderItsName() throws IOException {
    Path file = Files.writeString(directory.resolve("main.py"), "code");

    assertThat(unzip(pack(file))).containsExactly(Map.entry("main.py", "code"));
  }

  @Test
  void takesAZipAsItIs() throws IOException {
    Files.writeString(directory.resolve("index.js"), "main");
    Path file = Files.write(directory.resolve("code.zip"), pack(directory));

    try (CodePackage code = CodePackage.of(file)) {
      assertThat(code.file()).isEqualTo(file);
    }

    assertThat(file).exists();
  }

  @Test
  void makesTheSameBytesWhateverTheFilesAge() throws IOException {
    Path file = Files.writeString(directory.resolve("index.js"), "main");
    byte[] first = pack(directory);
    Files.setLastModifiedTime(file, FileTime.from(Instant.EPOCH));

    assertThat(pack(directory)).isEqualTo(first);
  }

  @Test
  void leavesNoFileBehind() throws IOException {
    Files.writeString(directory.resolve("index.js"), "main");
    Path file;
    try (CodePackage code = CodePackage.of(directory)) {
      file = code.file();
      assertThat(file).exists();
    }

    assertThat(file).doesNotExist();
  }

  @Test
  void refusesAPathThatDoesNotExist() {
    Path missing = directory.resolve("missing");

    assertThatThrownBy(() -> CodePackage.of(missing))
        .isInstanceOf(ConfigException.class)
        .hasMessage(
            "code: " + missing + " does not exist (expected: a directory, a file or a zip)");
  }

  @Test
  void refusesAnEmptyDirectory() {
    assertThatThrownBy(() -> CodePackage.of(directory))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("has no files");
  }

  private static byte[] pack(Path source) throws IOException {
    try (CodePackage code = CodePackage.of(source)) {
      assertThat(code.size()).isEqualTo(Files.size(code.file()));
      return Files.readAllBytes(code.file());
    }
  }

  private static Map<String, String> unzip(byte[] bytes) throws IOException {
    Map<String, String> entries = new LinkedHashMap<>();
    try (ZipInputStream zip = new ZipInputStream(new ByteArrayInputStream(bytes))) {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        entries.put(entry.getName(), new String(zip.readAllBytes(), UTF_8));
      }
    }
    return entries;
  }
}
