package io.easyfaas.funclet.code;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.easyfaas.common.disk.DiskUse;
import io.easyfaas.common.function.FunctionDocument.FunctionCode;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.funclet.RequiresRoot;
import io.easyfaas.funclet.mount.SourceDirectories;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A cache on a disk of one mebibyte.
@RequiresRoot
final class CodeCacheIT {
  @TempDir private Path home;
  private Path disk;

  @BeforeEach
  void mount() throws IOException, InterruptedException {
    disk = Files.createDirectory(home.resolve("disk"));
    run("mount", "-t", "tmpfs", "-o", "size=1m", "easyfaas-test", disk.toString());
  }

  @AfterEach
  void unmount() throws IOException, InterruptedException {
    run("umount", disk.toString());
  }

  @Test
  void aFullDiskIsNamedAndNothingIsLeftOnIt() throws IOException {
    CodeCache cache = cache();
    cache.sweep("boot");
    StringBuilder content = new StringBuilder();
    new Random(7).ints(2_000_000, ' ', '~').forEach(content::appendCodePoint);
    CodeFixture code = CodeFixture.zip(home, "big", content.toString());
    FunctionCode location = new FunctionCode(code.file().toString(), "filesystem", null);

    assertThatExceptionOfType(ApiException.class)
        .isThrownBy(() ->
            cache
                .order(location, CodeKey.of("", CodeHash.ofBase64(code.sha256())))
                .await(Duration.ofSeconds(20)))
        .withMessageContaining("unpack code below " + disk.resolve("code"))
        .withMessageContaining("No space left on device. Hint: free some disk space")
        .satisfies(failure -> assertThat(failure.code()).isEqualTo(ErrorCode.UNAVAILABLE));

    try (var left = Files.list(disk.resolve("code"))) {
      assertThat(left.map(path -> path.getFileName().toString())).containsExactly(".boot");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"0123456789abcdef0123456789abcdef", "lost+found"})
  void aDirectoryThatCannotBeRemovedKeepsNobodyFromStarting(String name) throws Exception {
    cache().sweep("boot");
    Path child = Files.createDirectory(disk.resolve("code").resolve(name));
    run("mount", "-t", "tmpfs", "easyfaas-test", child.toString());
    try {
      cache().sweep("boot");
    } finally {
      run("umount", child.toString());
    }
  }

  private CodeCache cache() {
    return new CodeCache(
        disk.resolve("code"),
        new DiskUse(64 << 20, 100_000),
        new CodePace(Duration.ofSeconds(10), 1 << 20),
        new SourceDirectories(List.of(Path.of("/"))));
  }

  private static void run(String... command) throws IOException, InterruptedException {
    assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
  }
}
