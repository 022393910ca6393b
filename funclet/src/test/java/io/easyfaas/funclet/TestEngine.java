package io.easyfaas.funclet;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.function.FunctionConfiguration;
import io.easyfaas.common.function.FunctionDocument.FunctionCode;
import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.common.http.EventLoops;
import io.easyfaas.common.wire.ChannelAddress;
import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.common.wire.ContainerInfo;
import io.easyfaas.common.wire.ResetRequest;
import io.easyfaas.common.wire.ResetResponse;
import io.easyfaas.common.wire.WarmupRequest;
import io.easyfaas.funclet.code.CodeFixture;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// An engine with a root file system made of the host's `/usr`, whose functions are small Python
/// programs: `main.py` is what the container runs as its runner, and what it prints is collected.
final class TestEngine implements AutoCloseable {
  /// The first container.
  static final ContainerId C0 = ContainerId.of("it", 0);

  /// The second one.
  static final ContainerId C1 = ContainerId.of("it", 1);

  private final Path home;
  private final EventLoops loops;
  private final Funclet funclet;

  private TestEngine(Path home, EventLoops loops, Funclet funclet) {
    this.home = home;
    this.loops = loops;
    this.funclet = funclet;
  }

  /// Starts an engine with two slots.
  ///
  /// @param home an empty directory with a short name, because of the sockets in it
  static TestEngine start(Path home, String... more) {
    prepare(home);
    EventLoops loops = new EventLoops(1);
    FuncletConfig config = FuncletConfig.parse(args(home, more), Map.of());
    try {
      return new TestEngine(home, loops, Funclet.start(config, loops));
    } catch (RuntimeException e) {
      loops.close();
      throw e;
    }
  }

  static List<String> args(Path home, String... more) {
    List<String> args =
        new ArrayList<>(
            List.of(
                "--data-dir=" + home.resolve("data"),
                "--run-dir=" + home.resolve("run"),
                "--source-dirs=" + home,
                "--pod-name=it",
                "--container-num=2",
                "--runner-memory=64MiB"));
    args.addAll(List.of(more));
    return args;
  }

  /// Lays out a root file system, as `easyfaas runner-runtime` does.
  static void prepare(Path home) {
    Path rootfs = home.resolve("data/rootfs");
    if (Files.exists(rootfs)) {
      return;
    }
    try {
      for (String directory : List.of("etc", "proc", "dev", "tmp", "var/task", "var/runtime")) {
        Files.createDirectories(rootfs.resolve(directory));
      }
      List<String> binds = new ArrayList<>();
      for (String part : List.of("bin", "lib", "lib64", "share")) {
        Files.createDirectories(rootfs.resolve("usr").resolve(part));
        binds.add("[\"/usr\",\"%s\",\"/usr/%s\"]".formatted(part, part));
      }
      for (String directory : List.of("bin", "lib", "lib64")) {
        Files.createSymbolicLink(rootfs.resolve(directory), Path.of("usr", directory));
      }
      Files.createFile(rootfs.resolve("etc/hosts"));
      Files.writeString(
          home.resolve("data/rootfs.json"),
          "{\"source\":\"test\",\"binds\":[" + String.join(",", binds) + "]}",
          UTF_8);
      Files.createDirectories(home.resolve("runtime"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  Funclet funclet() {
    return funclet;
  }

  Path home() {
    return home;
  }

  ContainerInfo info(ContainerId id) {
    return funclet.container(id);
  }

  /// Warms a container up with a program. The output must be closed before the next warm-up.
  Output warmup(ContainerId id, String program, int memoryMebibytes) {
    Output output = Output.listen(home);
    try {
      funclet.warmup(request(id, program, memoryMebibytes, output.address()));
      return output;
    } catch (RuntimeException e) {
      output.close();
      throw e;
    }
  }

  /// Warms up, waits until the program ends by itself, resets.
  String run(ContainerId id, String program) {
    try (Output output = warmup(id, program, 64)) {
      String text = output.all();
      reset(id);
      return text;
    }
  }

  ResetResponse reset(ContainerId id) {
    return funclet.reborn(new ResetRequest(id, "it", "test"));
  }

  WarmupRequest request(
      ContainerId id, String program, int memoryMebibytes, @Nullable ChannelAddress channel) {
    try {
      CodeFixture code = CodeFixture.zip(home, "main.py", program);
      return new WarmupRequest(
          id,
          "it",
          new FunctionCode(code.file().toString(), "filesystem", null),
          new FunctionConfiguration(
              code.sha256(),
              null,
              null,
              null,
              "brn:it",
              "it",
              "main.handler",
              null,
              memoryMebibytes,
              "python3",
              3,
              "$LATEST",
              null,
              null,
              null,
              null),
          new RuntimeConfiguration(
              "python3",
              "/usr/bin/python3",
              home.resolve("runtime").toString(),
              List.of("-u", "/var/task/main.py"),
              List.of()),
          channel);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    funclet.close();
    loops.close();
  }
}
