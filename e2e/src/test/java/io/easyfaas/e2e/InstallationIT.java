package io.easyfaas.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/// The engine as it is shipped: a directory with a Java runtime and an ahead-of-time cache of its
/// own, which is moved around, and whose cache may be of no use.
@EndToEnd
final class InstallationIT {
  private static final String VERSION = "easyfaas 0.1.0\n";

  @RegisterExtension private static final Leaks LEAKS = new Leaks();

  @TempDir private Path work;
  private Path installation = Path.of("");

  @BeforeEach
  void install() throws IOException {
    installation = work.resolve("elsewhere");
    copy(Installation.dist(), installation);
  }

  @Test
  void aCopyElsewhereRunsOnItsOwnRuntimeAndFromItsCache() throws IOException {
    try (EngineProcess engine = start()) {
      engine.create(FunctionSpec.node("installed", "exports.handler = async () => 'works';"));

      assertThat(engine.call("installed", "{}")).isEqualTo("works");
      assertThat(mapped(engine))
          .contains(installation + "/lib/easyfaas.aot")
          .contains(installation + "/runtime/lib/server/libjvm.so")
          .contains(installation + "/bin/libnetty_transport_native_epoll");
    }
  }

  @Test
  void anEngineStartsWithoutACacheThatIsDamaged() throws IOException {
    Files.writeString(cache(), "damaged");

    try (EngineProcess engine = start()) {
      assertThat(mapped(engine)).doesNotContain("easyfaas.aot");
    }
    assertVersionIsAllThatIsPrinted();
  }

  @Test
  void aCacheThatIsCutOffIsNotUsed() throws IOException {
    byte[] whole = Files.readAllBytes(cache());
    Files.write(cache(), Arrays.copyOf(whole, whole.length / 2));

    assertVersionIsAllThatIsPrinted();
  }

  @Test
  void aCacheOfOtherJarsIsNotUsed() throws IOException {
    try (var jars = Files.newDirectoryStream(installation.resolve("lib"), "netty-*.jar")) {
      for (Path jar : jars) {
        Files.setLastModifiedTime(jar, FileTime.fromMillis(1));
      }
    }

    assertVersionIsAllThatIsPrinted();
  }

  @Test
  void aMissingCacheIsNotMissed() throws IOException {
    Files.delete(cache());

    assertVersionIsAllThatIsPrinted();
  }

  private void assertVersionIsAllThatIsPrinted() {
    Command.Result result =
        Command.run(
            List.of(script(), "--version"),
            Map.of("PATH", "/usr/bin:/bin", "HOME", work.toString()));

    assertThat(result).isEqualTo(new Command.Result(0, VERSION, ""));
  }

  private EngineProcess start() {
    EngineHome home = LEAKS.home();
    List<String> command = new ArrayList<>(List.of(script()));
    command.addAll(home.arguments("--container-num=1"));
    EngineProcess engine = home.run(command);
    engine.awaitReady();
    return engine;
  }

  private static String mapped(EngineProcess engine) throws IOException {
    return Files.readString(Path.of("/proc/" + engine.pid() + "/maps"));
  }

  private Path cache() {
    return installation.resolve("lib/easyfaas.aot");
  }

  private String script() {
    return installation.resolve("easyfaas").toString();
  }

  private static void copy(Path from, Path to) {
    Command.Result result =
        Command.run(
            List.of("cp", "-a", from.toString(), to.toString()), Map.of("PATH", "/usr/bin:/bin"));
    assertThat(result.status()).describedAs(result.text()).isZero();
  }
}
