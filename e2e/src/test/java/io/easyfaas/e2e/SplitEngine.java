package io.easyfaas.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;

/// An engine whose parts run as processes of their own: registry, funclet and controller. Each is
/// watched for leaks, and ends with the tests.
///
/// @param registry the process of the function registry
/// @param controller the process that calls go to
record SplitEngine(EngineProcess registry, EngineProcess controller) {
  /// Starts the parts and waits until calls are taken.
  ///
  /// @param flags of the controller
  static SplitEngine start(EngineHome home, String... flags) {
    EngineProcess controller = controller(home, flags);
    SplitEngine parts = new SplitEngine(registry(home), controller);
    EngineProcess _ = funclet(home);
    controller.awaitServing(home.port());
    return parts;
  }

  /// A registry that answers.
  static EngineProcess registry(EngineHome home) {
    EngineProcess registry =
        launch(
            home, "stubs", "--port=" + home.registryPort(), "--data-dir=" + home.dataDirectory());
    registry.awaitHealthy(home.registryPort());
    return registry;
  }

  /// A controller that is alive.
  static EngineProcess controller(EngineHome home, String... flags) {
    List<String> command =
        new ArrayList<>(
            List.of(
                "controller",
                "--port=" + home.port(),
                "--data-dir=" + home.dataDirectory(),
                "--repository-endpoint=http://127.0.0.1:" + home.registryPort(),
                "--run-dir=" + home.runDirectory()));
    command.addAll(List.of(flags));
    EngineProcess controller = launch(home, command.toArray(String[]::new));
    controller.awaitHealthy(home.port());
    return controller;
  }

  /// A funclet that has just been started, after what it needs was laid out.
  static EngineProcess funclet(EngineHome home) {
    Command.Result laidOut =
        Command.run(
            Installation.command(List.of("runner-runtime", "--data-dir=" + home.dataDirectory())),
            home.environment());
    assertThat(laidOut.status()).describedAs("%s", laidOut).isZero();
    return launch(
        home,
        "funclet",
        "--data-dir=" + home.dataDirectory(),
        "--run-dir=" + home.runDirectory(),
        "--container-num=2");
  }

  private static EngineProcess launch(EngineHome home, String... command) {
    return home.run(Installation.shipped(List.of(command)));
  }
}
