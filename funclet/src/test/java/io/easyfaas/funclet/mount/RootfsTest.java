package io.easyfaas.funclet.mount;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.easyfaas.common.config.ConfigException;
import io.easyfaas.common.disk.Damage;
import io.easyfaas.funclet.launch.LauncherCommand.Bind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class RootfsTest {
  @TempDir private Path data;

  @BeforeEach
  void makeRoot() throws IOException {
    Files.createDirectory(data.resolve("rootfs"));
  }

  @Test
  void bindsAndHostsAreFound() throws IOException {
    describe(
        "{\"source\":\"host\",\"binds\":[[\"/usr\",\"bin\",\"/usr/bin\"],[\"/usr\",\"/lib\"]]}");
    Files.createDirectory(data.resolve("rootfs/etc"));
    Files.createFile(data.resolve("rootfs/etc/hosts"));

    Rootfs rootfs = Rootfs.load(data);

    assertThat(rootfs.directory()).isEqualTo(data.resolve("rootfs"));
    assertThat(rootfs.binds())
        .containsExactly(
            new Bind(Path.of("/usr"), "bin", "/usr/bin"), new Bind(Path.of("/usr"), "/lib"));
    assertThat(rootfs.hasHosts()).isTrue();
  }

  @Test
  void aTreeOfItsOwnNeedsNoBinds() throws IOException {
    describe("{\"source\":\"image\"}");

    assertThat(Rootfs.load(data).binds()).isEmpty();
    assertThat(Rootfs.load(data).hasHosts()).isFalse();
  }

  @ParameterizedTest
  @EnumSource
  void whateverIsInTheEmptyDirectorysPlaceIsRemoved(Damage damage) throws IOException {
    describe("{\"source\":\"image\"}");
    damage.to(Files.createDirectory(data.resolve("empty")));

    assertThat(Rootfs.load(data).empty()).isEqualTo(data.resolve("empty")).isEmptyDirectory();
  }

  @Test
  void whatALinkInTheEmptyDirectorysPlaceLeadsToStays() throws IOException {
    describe("{\"source\":\"image\"}");
    Path foreign = Files.createDirectories(data.resolve("foreign/c0"));
    Files.createSymbolicLink(data.resolve("empty"), foreign.getParent());

    assertThat(Rootfs.load(data).empty()).isDirectory();
    assertThat(foreign).isDirectory();
  }

  @Test
  void aMissingRootSaysHowToMakeIt() {
    refused("Hint: run `easyfaas runner-runtime --data-dir " + data + "` first");
  }

  @Test
  void aMalformedDescriptionIsNamed() throws IOException {
    describe("{");
    refused(data.resolve("rootfs.json") + ": JSON");
    describe("{\"binds\":[[\"usr\",\"/usr\"]]}");
    refused("bind [usr, /usr] (expected: two absolute paths, and a name between them for a part)");
    describe("{\"binds\":[[\"/usr\",\"a\",\"b\",\"/usr\"]]}");
    refused("bind [/usr, a, b, /usr] (expected: ");
    describe("{\"binds\":[[\"/nowhere\",\"/usr\"]]}");
    refused("/nowhere does not exist");
  }

  private void describe(String json) throws IOException {
    Files.writeString(data.resolve("rootfs.json"), json);
  }

  private void refused(String message) {
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> Rootfs.load(data))
        .withMessageContaining(message);
  }
}
