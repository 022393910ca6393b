package io.easyfaas.runnerruntime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.disk.DiskTree;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DirectoryPlanTest {
  @TempDir Path temp;
  private Path scratch;
  private Path target;

  @BeforeEach
  void makeScratch() throws IOException {
    scratch = Files.createDirectory(temp.resolve("scratch"));
    target = temp.resolve("target");
  }

  // JUnit warns of every link it deletes.
  @AfterEach
  void deleteLinks() throws IOException {
    DiskTree.delete(temp);
  }

  @Test
  void makesDirectoriesFilesAndLinks() throws IOException {
    carryOut(
        new DirectoryPlan()
            .directory("var/task")
            .file("etc/hosts", "127.0.0.1 localhost\n")
            .symlink("bin", Path.of("usr/bin")));

    assertThat(contentOf(target))
        .containsExactly(
            Map.entry("bin", "-> usr/bin"),
            Map.entry("etc", "rwxr-xr-x"),
            Map.entry("etc/hosts", "rw-r--r-- 127.0.0.1 localhost\n"),
            Map.entry("var", "rwxr-xr-x"),
            Map.entry("var/task", "rwxr-xr-x"));
    assertThat(modeOf(target)).isEqualTo("rwxr-xr-x");
    assertThat(scratch).isEmptyDirectory();
  }

  @Test
  void leavesAloneWhatIsRight() throws IOException {
    Path source = Files.writeString(temp.resolve("source"), "copied");
    DirectoryPlan plan =
        new DirectoryPlan()
            .file("file", "text")
            .copy("copy", source)
            .symlink("link", Path.of("file"));
    carryOut(plan);
    Map<String, Object> before = inodesOf(target);

    carryOut(plan);

    assertThat(inodesOf(target)).isEqualTo(before);
  }

  @Test
  void replacesAFileInsteadOfChangingIt() throws IOException {
    carryOut(new DirectoryPlan().file("file", "old"));
    try (InputStream open = Files.newInputStream(target.resolve("file"))) {
      carryOut(new DirectoryPlan().file("file", "new and longer"));

      assertThat(open.readAllBytes()).asString(StandardCharsets.UTF_8).isEqualTo("old");
    }
    assertThat(target.resolve("file")).hasContent("new and longer");
  }

  @Test
  void deletesWhatIsNotPlanned() throws IOException {
    carryOut(new DirectoryPlan().file("a/b/c", "").file("a/kept", "").symlink("d", Path.of("/")));

    carryOut(new DirectoryPlan().file("a/kept", ""));

    assertThat(contentOf(target).keySet()).containsExactly("a", "a/kept");
  }

  @Test
  void doesNotFollowALinkItDeletes() throws IOException {
    Path outside = Files.createDirectory(temp.resolve("outside"));
    Files.writeString(outside.resolve("precious"), "");
    carryOut(new DirectoryPlan().symlink("link", outside).symlink("planned", outside));

    carryOut(new DirectoryPlan().file("planned/precious", "other"));

    assertThat(outside.resolve("precious")).hasContent("");
    assertThat(target.resolve("planned")).isDirectory().isNotEqualTo(outside);
  }

  @Test
  void turnsEveryKindIntoEveryOther() throws IOException {
    List<DirectoryPlan> kinds =
        List.of(
            new DirectoryPlan().file("x", "text"),
            new DirectoryPlan().file("x/below", "text"),
            new DirectoryPlan().symlink("x", Path.of("elsewhere")),
            new DirectoryPlan().directory("x"));
    for (DirectoryPlan from : kinds) {
      for (DirectoryPlan to : kinds) {
        carryOut(to);
        Map<String, String> expected = contentOf(target);
        carryOut(from);

        carryOut(to);

        assertThat(contentOf(target)).isEqualTo(expected);
      }
    }
  }

  @Test
  void mendsModes() throws IOException {
    DirectoryPlan plan = new DirectoryPlan().file("a/file", "text");
    carryOut(plan);
    Files.setPosixFilePermissions(target, PosixFilePermissions.fromString("rwx------"));
    Files.setPosixFilePermissions(
        target.resolve("a"), PosixFilePermissions.fromString("rwx------"));
    Files.setPosixFilePermissions(
        target.resolve("a/file"), PosixFilePermissions.fromString("rw-------"));

    carryOut(plan);

    assertThat(modeOf(target)).isEqualTo("rwxr-xr-x");
    assertThat(modeOf(target.resolve("a"))).isEqualTo("rwxr-xr-x");
    assertThat(modeOf(target.resolve("a/file"))).isEqualTo("rw-r--r--");
  }

  @Test
  void copiesATreeWithoutWhatIsNotWanted() throws IOException {
    Path source = temp.resolve("source/lib");
    Files.createDirectories(source.resolve("test"));
    Files.writeString(source.resolve("test/big"), "");
    Files.writeString(source.resolve("program"), "run");
    Files.setPosixFilePermissions(
        source.resolve("program"), PosixFilePermissions.fromString("rwxr-x--x"));
    Files.createSymbolicLink(source.resolve("link"), Path.of("program"));

    carryOut(
        new DirectoryPlan()
            .copyTree("x/lib", source, path -> !path.getFileName().toString().equals("test")));

    assertThat(contentOf(target))
        .containsExactly(
            Map.entry("x", "rwxr-xr-x"),
            Map.entry("x/lib", modeOf(source)),
            Map.entry("x/lib/link", "-> program"),
            Map.entry("x/lib/program", "rwxr-x--x run"));
  }

  @Test
  void copiesAFileAgainWhenItsSourceHasChanged() throws IOException {
    Path source = Files.writeString(temp.resolve("source"), "old");
    carryOut(new DirectoryPlan().copy("copy", source));
    Files.writeString(source, "new");
    Files.setLastModifiedTime(source, FileTime.fromMillis(1_000_000));

    carryOut(new DirectoryPlan().copy("copy", source));

    assertThat(target.resolve("copy")).hasContent("new");
  }

  @Test
  void sharesFilesOfATreeUntilTheirSourceIsReplaced() throws IOException {
    Path source = Files.createDirectory(temp.resolve("source"));
    Files.writeString(source.resolve("file"), "shared");
    DirectoryPlan plan = new DirectoryPlan().shareTree("", source, _ -> true);

    carryOut(plan);
    carryOut(plan);

    assertThat(Files.isSameFile(source.resolve("file"), target.resolve("file"))).isTrue();

    carryOut(new DirectoryPlan().shareTree("", source, _ -> true).file("file", "own"));

    assertThat(source.resolve("file")).hasContent("shared");
    assertThat(target.resolve("file")).hasContent("own");
  }

  @Test
  void refusesPathsOutsideOfTheDirectory() {
    for (String path : List.of("", "/etc", "etc/")) {
      assertThatThrownBy(() -> new DirectoryPlan().directory(path))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("\"" + path + "\"");
    }
  }

  private void carryOut(DirectoryPlan plan) throws IOException {
    plan.carryOut(target, scratch);
  }

  private static Map<String, String> contentOf(Path directory) throws IOException {
    Map<String, String> content = new TreeMap<>();
    try (Stream<Path> paths = Files.walk(directory)) {
      for (Path path : paths.skip(1).toList()) {
        content.put(directory.relativize(path).toString(), describe(path));
      }
    }
    return content;
  }

  private static String describe(Path path) throws IOException {
    if (Files.isSymbolicLink(path)) {
      return "-> " + Files.readSymbolicLink(path);
    }
    return Files.isDirectory(path) ? modeOf(path) : modeOf(path) + " " + Files.readString(path);
  }

  private static String modeOf(Path path) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }

  private static Map<String, Object> inodesOf(Path directory) throws IOException {
    Map<String, Object> inodes = new TreeMap<>();
    try (Stream<Path> paths = Files.walk(directory)) {
      for (Path path : paths.toList()) {
        inodes.put(
            path.toString(), Files.getAttribute(path, "unix:ino", LinkOption.NOFOLLOW_LINKS));
      }
    }
    return inodes;
  }
}
