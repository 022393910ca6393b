package io.easyfaas.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Starting where little is set: services, cron jobs and containers have no locale.
@EndToEnd
final class StartIT {
  // How a shell prints 中文, which this JVM can pass on only if it has a locale itself.
  private static final String CHINESE = "\\344\\270\\255\\346\\226\\207";

  // Brings up `lo`, which a new network namespace has, and executes a command.
  private static final String WITH_LOOPBACK_ONLY =
      """
      import fcntl, os, socket, struct, sys
      SIOCSIFFLAGS, IFF_UP = 0x8914, 1
      fcntl.ioctl(socket.socket(), SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", IFF_UP))
      os.execv(sys.argv[1], sys.argv[1:])
      """;

  @RegisterExtension private static final Leaks LEAKS = new Leaks();

  @Test
  void anEngineStartsWithNothingButAPath() {
    EngineHome home = LEAKS.home();
    EngineProcess engine =
        home.run(
            Installation.shipped(home.arguments("--container-num=1")),
            Map.of("PATH", "/usr/bin:/bin"));
    engine.awaitReady();
    engine.create(
        FunctionSpec.python("speaks", "def handler(event, context):\n    return '中文 ' + event"));

    assertThat(engine.call("speaks", "\"é\"")).isEqualTo("中文 é");
    assertThat(engine.log())
        .describedAs("what it says when nothing is wrong")
        .doesNotContain("WARN");
  }

  @Test
  void whereThereIsNoNetworkNothingIsSaidAboutIt() {
    Command.Result refused = runWithoutNetwork("function", "list");

    assertThat(refused.status()).isEqualTo(3);
    assertThat(refused.err().lines()).singleElement().asString().startsWith("easyfaas: connect to");

    Command.Result demo = runWithoutNetwork("demo");

    assertThat(demo.status()).describedAs("%s", demo).isZero();
    assertThat(demo.err()).doesNotContain("WARN");
  }

  private static Command.Result runWithoutNetwork(String... arguments) {
    List<String> command =
        new ArrayList<>(List.of("unshare", "--net", "python3", "-c", WITH_LOOPBACK_ONLY));
    command.addAll(Installation.shipped(List.of(arguments)));
    return Command.run(command, Map.of("PATH", "/usr/bin:/bin"));
  }

  @Test
  void theRegistryStaysOnLoopbackWhenTheOthersDoNot() {
    EngineProcess engine = LEAKS.start("--container-num=1", "--bind-address=0.0.0.0");

    assertThat(isReached(engine.home().port())).isTrue();
    assertThat(isReached(engine.home().triggerPort())).isTrue();
    assertThat(isReached(engine.home().registryPort())).isFalse();
  }

  // Another address of the machine than the one that is listened on by default.
  private static boolean isReached(int port) {
    try (Socket _ = new Socket("127.0.0.2", port)) {
      return true;
    } catch (IOException _) {
      return false;
    }
  }

  @Test
  void theDemoRunsWithNothingButAPath() {
    Command.Result demo =
        Command.run(Installation.shipped(List.of("demo")), Map.of("PATH", "/usr/bin:/bin"));

    assertThat(demo.status()).describedAs("%s", demo).isZero();
    assertThat(demo.out()).contains("Hello, Ada!");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "C", "POSIX", "C.UTF-8"})
  void theCommandLineSpeaksEveryLanguageWhateverTheLocale(String locale) {
    EngineProcess engine = LEAKS.start("--container-num=1");
    Map<String, String> environment = new HashMap<>(engine.home().environment());
    environment.remove("LANG");
    if (!locale.isEmpty()) {
      environment.put("LC_ALL", locale);
    }
    engine.create(FunctionSpec.node("described", "exports.handler = async () => 1;"));
    List<String> command =
        new ArrayList<>(
            List.of("sh", "-c", "exec \"$@\" --description \"$(printf '" + CHINESE + "')\"", "sh"));
    command.addAll(Installation.shipped(List.of("function", "update", "described")));

    Command.Result updated = Command.run(command, environment);
    Command.Result shown =
        Command.run(
            Installation.shipped(List.of("function", "get", "described", "--output", "json")),
            environment);

    assertThat(updated.status()).describedAs("%s", updated).isZero();
    assertThat(described(engine)).isEqualTo("中文");
    assertThat(shown.json().at("/Configuration/Description").asString()).isEqualTo("中文");
  }

  @Test
  void aDiskWithoutAFreeBlockIsSaidInOneLine() throws IOException {
    EngineHome home = LEAKS.home();
    Path disk = Files.createDirectory(home.directory().resolve("disk"));
    mount("mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", disk.toString());
    try {
      String data = "--data-dir=" + disk.resolve("data");
      Command.Result prepared =
          Command.run(Installation.command(List.of("runner-runtime", data)), home.environment());
      assertThat(prepared.status()).describedAs("%s", prepared).isZero();
      fill(disk);

      Command.Result refused = home.startRefused(data, "--container-num=1");

      assertThat(refused.status()).isEqualTo(3);
      assertThat(refused.err().lines().toList().getLast())
          .startsWith("easyfaas: ")
          .contains(disk.toString(), "No space left on device", "Hint: ");
    } finally {
      mount("umount", disk.toString());
    }
  }

  private static void fill(Path disk) throws IOException {
    try (OutputStream file = Files.newOutputStream(disk.resolve("fill"))) {
      while (true) {
        file.write(new byte[4096]);
      }
    } catch (IOException full) {
      assertThat(full).hasMessageContaining("No space left");
    }
  }

  private static void mount(String... command) {
    Command.Result done = Command.run(List.of(command), Map.of("PATH", "/usr/bin:/bin"));
    assertThat(done.status()).describedAs("%s", done).isZero();
  }

  private static String described(EngineProcess engine) {
    return engine
        .send(engine.registry("/v1/functions/described").GET())
        .json()
        .at("/Configuration/Description")
        .asString();
  }
}
