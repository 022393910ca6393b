package io.easyfaas.funclet.mount;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SourceDirectoriesTest {
  @TempDir private Path home;
  private Path inside;
  private Path outside;
  private SourceDirectories sources;

  @BeforeEach
  void make() throws IOException {
    inside = Files.createDirectories(home.resolve("runtimes/node"));
    outside = Files.createDirectories(home.resolve("runtimes-of-others"));
    sources = new SourceDirectories(List.of(home.resolve("none"), home.resolve("runtimes")));
  }

  @Test
  void whatLiesInADirectoryIsFound() throws IOException {
    assertThat(sources.resolve("Path", inside)).isEqualTo(inside.toRealPath());
    assertThat(sources.resolve("Path", home.resolve("runtimes/node/../node")))
        .isEqualTo(inside.toRealPath());
  }

  @Test
  void aLinkIsFollowedInsideAndNotOutOfIt() throws IOException {
    Path within = Files.createSymbolicLink(home.resolve("runtimes/js"), Path.of("node"));
    Path out = Files.createSymbolicLink(home.resolve("runtimes/out"), outside);
    Path link = Files.createSymbolicLink(home.resolve("link"), inside);

    assertThat(sources.resolve("Path", within)).isEqualTo(inside.toRealPath());
    assertThat(sources.resolve("Path", link)).isEqualTo(inside.toRealPath());
    refused(out);
  }

  @Test
  void aDirectoryMayBeALinkItself() throws IOException {
    Path link = Files.createSymbolicLink(home.resolve("link"), home.resolve("runtimes"));

    assertThat(new SourceDirectories(List.of(link)).resolve("Path", link.resolve("node")))
        .isEqualTo(inside.toRealPath());
  }

  @Test
  void whatLiesOutsideIsRefusedWhetherItExistsOrNot() {
    refused(outside);
    refused(home.resolve("runtimes/node/../../runtimes-of-others"));
    refused(home.resolve("nothing"));
    refused(home.resolve("runtimes/../nothing"));
    refused(Path.of("/etc/shadow"));
  }

  @Test
  void whatIsMissingInsideIsMissing() {
    assertThatExceptionOfType(NoSuchFileException.class)
        .isThrownBy(() -> sources.resolve("Path", home.resolve("runtimes/java")));
  }

  private void refused(Path path) {
    assertThatExceptionOfType(ApiException.class)
        .isThrownBy(() -> sources.resolve("Path", path))
        .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_PARAMETER))
        .withMessageContaining("Path: \"" + path + "\" (expected: in one of [")
        .withMessageContaining("--source-dirs");
  }
}
