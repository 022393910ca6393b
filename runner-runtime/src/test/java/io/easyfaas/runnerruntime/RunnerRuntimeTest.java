package io.easyfaas.runnerruntime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.easyfaas.common.config.ConfigException;
import io.easyfaas.common.disk.Damage;
import io.easyfaas.common.disk.DiskTree;
import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.common.json.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RunnerRuntimeTest {
  @TempDir Path temp;
  private Path data;

  @BeforeEach
  void chooseDirectory() {
    data = temp.resolve("data");
  }

  // JUnit warns of every link it deletes.
  @AfterEach
  void deleteLinks() throws IOException {
    DiskTree.delete(temp);
  }

  @Test
  void laysOutRootAndRuntimesOfTheHost() throws IOException {
    Prepared prepared = RunnerRuntime.prepare(data);

    assertThat(prepared.rootfs()).isEqualTo(data.resolve("rootfs")).isDirectory();
    assertThat(prepared.source()).isEqualTo(new RootfsSource.HostUsr());
    assertThat(prepared.missing()).isEmpty();
    assertThat(data.resolve("rootfs.json"))
        .content()
        .startsWith("{\"source\":\"host-usr\",\"binds\":[[\"/usr\",\"bin\",\"/usr/bin\"]");
    assertThat(prepared.runtimes()).hasSize(2);
    for (RuntimeConfiguration runtime : prepared.runtimes()) {
      Path directory = data.resolve("runtimes").resolve(runtime.name());
      assertThat(runtime.path()).isEqualTo(directory.toString());
      assertThat(
              Json.PASCAL.read(
                  Files.readAllBytes(directory.resolve("runtime.json")),
                  RuntimeConfiguration.class))
          .isEqualTo(runtime);
      String runner = runtime.args().getLast();
      assertThat(directory.resolve(Path.of("/var/runtime").relativize(Path.of(runner)))).exists();
    }
    assertThat(prepared.runtimes().get(0).answersTo("nodejs")).isTrue();
    assertThat(prepared.runtimes().get(1).answersTo("python3")).isTrue();
  }

  @Test
  void theSecondTimeChangesNothing() throws IOException {
    RunnerRuntime.prepare(data);
    Map<Path, Object> before = inodesOf(data.resolve("rootfs"));

    RunnerRuntime.prepare(data);

    assertThat(inodesOf(data.resolve("rootfs"))).isEqualTo(before);
    assertThat(data.resolve(".prepare")).doesNotExist();
  }

  @Test
  void mendsWhatAnInterruptedRunLeft() throws IOException {
    RunnerRuntime.prepare(data);
    Map<Path, String> whole = filesOf(data.resolve("rootfs"));
    Files.delete(data.resolve("rootfs/etc/hosts"));
    Files.writeString(data.resolve("rootfs/etc/passwd"), "tor");
    Files.delete(data.resolve("rootfs.json"));
    Files.createDirectories(data.resolve(".prepare/directory/etc"));

    RunnerRuntime.prepare(data);

    assertThat(filesOf(data.resolve("rootfs"))).isEqualTo(whole);
    assertThat(data.resolve("rootfs.json")).exists();
  }

  @Test
  void aRuntimeWhoseInterpreterIsGoneIsNotOfferedButStays() throws IOException {
    Path gone = Files.createDirectories(data.resolve("runtimes/nodejs4"));
    Files.writeString(gone.resolve("runtime.json"), "{}");
    Files.writeString(gone.resolve("runner.js"), "mounted somewhere");

    RunnerRuntime.prepare(data);

    assertThat(gone.resolve("runtime.json")).doesNotExist();
    assertThat(gone.resolve("runner.js")).exists();
  }

  @Test
  void aRuntimeOfSomebodyElseStaysOffered() throws IOException {
    Path own = Files.createDirectories(data.resolve("runtimes/nodejs-of-ours"));
    Files.writeString(own.resolve("runtime.json"), "{}");

    RunnerRuntime.prepare(data);

    assertThat(own.resolve("runtime.json")).hasContent("{}");
  }

  @Test
  void aTreeIsRememberedAndNeededOnlyOnce() throws IOException {
    Path tree = temp.resolve("tree");
    Files.createDirectories(tree.resolve("usr/share"));
    Files.writeString(tree.resolve("usr/share/file"), "of the tree");

    Prepared prepared = RunnerRuntime.prepare(data, new RootfsSource.Tree(tree), System.getenv());

    assertThat(prepared.runtimes()).isEmpty();
    assertThat(prepared.missing()).hasSize(2);
    assertThat(data.resolve("rootfs.json"))
        .hasContent("{\"source\":\"tree\",\"tree\":\"" + tree + "\",\"binds\":[]}\n");

    DiskTree.delete(tree);
    Prepared again = RunnerRuntime.prepare(data);

    assertThat(again.source()).isEqualTo(new RootfsSource.Tree(tree));
    assertThat(data.resolve("rootfs/usr/share/file")).hasContent("of the tree");
  }

  @ParameterizedTest
  @EnumSource
  void whateverIsInPlaceOfItsFilesIsMended(Damage damage) throws IOException {
    Path tree = Files.createDirectories(temp.resolve("tree"));
    RunnerRuntime.prepare(data, new RootfsSource.Tree(tree), Map.of());
    for (String own : List.of("rootfs.json", ".prepare.lock", ".prepare")) {
      damage.to(data.resolve(own));
    }

    RunnerRuntime.prepare(data, new RootfsSource.Tree(tree), Map.of());

    assertThat(data.resolve("rootfs.json"))
        .hasContent("{\"source\":\"tree\",\"tree\":\"" + tree + "\",\"binds\":[]}\n");
    assertThat(data.resolve("nowhere")).doesNotExist();
  }

  @Test
  void aTreeThatDoesNotExistIsRefused() {
    assertThatThrownBy(() ->
            RunnerRuntime.prepare(data, new RootfsSource.Tree(temp.resolve("absent")), Map.of()))
        .isInstanceOf(ConfigException.class)
        .hasMessage(
            "--rootfs-source: \""
                + temp.resolve("absent")
                + "\" (expected: an existing directory)");
    assertThat(data.resolve("rootfs")).doesNotExist();
  }

  @Test
  void aDataDirectoryThatCannotBeMadeIsNamed() throws IOException {
    Files.writeString(data, "a file");

    assertThatThrownBy(() -> RunnerRuntime.prepare(data))
        .isInstanceOf(ConfigException.class)
        .hasMessageStartingWith("--data-dir: prepare " + data + ": ");
  }

  @Test
  void severalAtOnceTakeTurns() throws Exception {
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Prepared>> all =
          Stream.generate(() -> executor.submit(() -> RunnerRuntime.prepare(data)))
              .limit(3)
              .toList();
      for (Future<Prepared> each : all) {
        assertThat(each.get().runtimes()).hasSize(2);
      }
    }
  }

  private static Map<Path, Object> inodesOf(Path directory) throws IOException {
    Map<Path, Object> inodes = new TreeMap<>();
    try (Stream<Path> paths = Files.walk(directory)) {
      for (Path path : paths.toList()) {
        inodes.put(path, Files.getAttribute(path, "unix:ino", LinkOption.NOFOLLOW_LINKS));
      }
    }
    return inodes;
  }

  private static Map<Path, String> filesOf(Path directory) throws IOException {
    Map<Path, String> files = new TreeMap<>();
    try (Stream<Path> paths = Files.walk(directory)) {
      for (Path path :
          paths.filter(each -> Files.isRegularFile(each, LinkOption.NOFOLLOW_LINKS)).toList()) {
        files.put(path, Files.readString(path, StandardCharsets.ISO_8859_1));
      }
    }
    return files;
  }
}
