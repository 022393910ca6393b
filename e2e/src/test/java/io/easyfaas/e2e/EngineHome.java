package io.easyfaas.e2e;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// Where one engine after another lives: temporary directories and ports of its own.
///
/// @param leaks told of every engine that is started here
/// @param directory the parent of data and run directory
/// @param port of the controller
/// @param registryPort of the function registry
/// @param triggerPort of the HTTP trigger
record EngineHome(Leaks leaks, Path directory, int port, int registryPort, int triggerPort) {
  /// A name that must not be found inside any sandbox.
  static final String SECRET_VARIABLE = "EASYFAAS_E2E_SECRET";

  /// Makes new directories and finds free ports.
  static EngineHome create(Leaks leaks) {
    try (ServerSocket one = listen();
        ServerSocket two = listen();
        ServerSocket three = listen()) {
      return new EngineHome(
          leaks,
          Files.createTempDirectory("easyfaas-e2e-"),
          one.getLocalPort(),
          two.getLocalPort(),
          three.getLocalPort());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  Path dataDirectory() {
    return directory.resolve("data");
  }

  Path runDirectory() {
    return directory.resolve("run");
  }

  /// What the engines here have written, one after another.
  Path log() {
    return directory.resolve("engine.log");
  }

  /// The arguments of `easyfaas up`.
  ///
  /// @param flags come last, so they win
  List<String> arguments(String... flags) {
    List<String> arguments = new ArrayList<>();
    arguments.add("up");
    arguments.add("--port=" + port);
    arguments.add("--registry-port=" + registryPort);
    arguments.add("--trigger-port=" + triggerPort);
    arguments.add("--data-dir=" + dataDirectory());
    arguments.add("--run-dir=" + runDirectory());
    for (String flag : flags) {
      String key = flag.substring(0, flag.indexOf('='));
      arguments.removeIf(argument -> argument.startsWith(key + "="));
      arguments.add(flag);
    }
    return arguments;
  }

  /// The environment of the engine and of commands that talk to it.
  Map<String, String> environment() {
    return Map.of(
        "PATH",
        "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "LANG",
        "C.UTF-8",
        "HOME",
        "/root",
        "EASYFAAS_LAUNCHER",
        Installation.launcher().toString(),
        "EASYFAAS_CONTROLLER",
        "http://127.0.0.1:" + port,
        "EASYFAAS_REGISTRY",
        "http://127.0.0.1:" + registryPort,
        SECRET_VARIABLE,
        "of the host");
  }

  /// Starts an engine and waits until its three ports answer.
  ///
  /// @throws AssertionError with the end of its log, when it does not start
  EngineProcess start(String... flags) {
    EngineProcess engine = launch(flags);
    engine.awaitReady();
    return engine;
  }

  /// Starts an engine with the flags it is shipped with and waits until its three ports answer.
  EngineProcess startShipped(String... flags) {
    EngineProcess engine = run(Installation.shipped(arguments(flags)));
    engine.awaitReady();
    return engine;
  }

  /// Starts an engine and returns at once.
  EngineProcess launch(String... flags) {
    return run(Installation.command(arguments(flags)));
  }

  /// Runs a command that becomes an engine, or a part of one, and returns at once.
  EngineProcess run(List<String> command) {
    return run(command, environment());
  }

  /// The same with this environment only.
  EngineProcess run(List<String> command, Map<String, String> environment) {
    return run(
        new ProcessBuilder(command).redirectOutput(Redirect.appendTo(log().toFile())), environment);
  }

  /// The same, but nobody reads what it prints.
  EngineProcess runUnread(List<String> command) {
    try {
      Files.createFile(log());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return run(new ProcessBuilder(command), environment());
  }

  private EngineProcess run(ProcessBuilder command, Map<String, String> environment) {
    command.environment().clear();
    command.environment().putAll(environment);
    return EngineProcess.launch(this, command);
  }

  /// Runs an engine that is expected to refuse to start, until it ends.
  Command.Result startRefused(String... flags) {
    return Command.run(Installation.command(arguments(flags)), environment());
  }

  /// Keeps the log where the build keeps its reports.
  ///
  /// @param test the test class
  void keepLog(String test) {
    Path logs = Path.of("target", "engine-logs");
    try {
      if (Files.exists(log())) {
        Files.createDirectories(logs);
        Files.copy(
            log(), logs.resolve(test + "-" + port + ".log"), StandardCopyOption.REPLACE_EXISTING);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Removes the directories. Fails when something is still mounted there.
  void delete() {
    try (Stream<Path> tree = Files.walk(directory)) {
      for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    } catch (IOException e) {
      throw new AssertionError("remove " + directory + ": " + e, e);
    }
  }

  private static ServerSocket listen() throws IOException {
    return new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
  }
}
