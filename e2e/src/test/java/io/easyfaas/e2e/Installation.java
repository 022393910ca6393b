package io.easyfaas.e2e;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The packaged engine that is tested, and how it is started: by the script that is shipped, where
/// memory and the start are tested, and otherwise with every buffer watched.
final class Installation {
  private static final List<String> JAVA_FLAGS =
      List.of(
          "-XX:+UseSerialGC",
          "-XX:+UseCompactObjectHeaders",
          "-XX:TieredStopAtLevel=1",
          "-Xshare:auto",
          "-Xmx256m",
          "-XX:+ExitOnOutOfMemoryError",
          "-Dio.netty.leakDetection.level=paranoid",
          "--enable-native-access=ALL-UNNAMED",
          "--sun-misc-unsafe-memory-access=allow");

  private Installation() {}

  /// The checkout.
  static Path home() {
    return Path.of(System.getProperty("easyfaas.home", "..")).toAbsolutePath().normalize();
  }

  /// What is shipped: it can be copied to anywhere.
  static Path dist() {
    return home().resolve("cli/target/dist");
  }

  /// The native launcher.
  static Path launcher() {
    return dist().resolve("bin/easyfaas-launcher");
  }

  /// The command line of the script that users call, with the flags of the engine as it is shipped:
  /// for tests of memory and of the start.
  static List<String> shipped(List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(dist().resolve("easyfaas").toString());
    command.addAll(arguments);
    return List.copyOf(command);
  }

  /// The command line of `easyfaas ARGUMENTS`.
  static List<String> command(List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin/java").toString());
    command.addAll(JAVA_FLAGS);
    command.addAll(List.of("-cp", dist().resolve("lib") + "/*"));
    command.add("io.easyfaas.cli.Main");
    command.addAll(arguments);
    return List.copyOf(command);
  }
}
