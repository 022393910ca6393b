package io.easyfaas.controller.pool;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.wire.FunctionError;
import io.easyfaas.common.wire.RunnerExit;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// The error objects that the controller makes in a runner's place, see protocol.md §6.
public final class FunctionErrors {
  private FunctionErrors() {}

  /// The process ended before it answered.
  ///
  /// @param requestId of the call; absent while loading
  /// @param limit the function's memory
  /// @param exit how it ended, if that is known
  public static byte[] exited(
      Optional<String> requestId, ByteSize limit, Optional<RunnerExit> exit) {
    String message =
        requestId.map(id -> "RequestID: " + id + " ").orElse("")
            + "Process exited before completing request";
    return Json.CAMEL.write(
        exit.filter(RunnerExit::outOfMemory).isPresent()
            ? new FunctionError(
                message + ": out of memory (limit " + limit.mebibytes() + "MB)",
                "Runtime.OutOfMemory",
                List.of())
            : new FunctionError(message, "Runtime.ExitError", List.of()));
  }

  /// The function was not loaded in time.
  ///
  /// @param limit the time it had
  public static byte[] loadTimedOut(Duration limit) {
    return Json.CAMEL.write(
        new FunctionError(
            "Loading timed out after " + limit.toSeconds() + " seconds",
            "Runtime.LoadTimeout",
            List.of()));
  }

  /// The function spoke in its runner's place while it was loaded, and not as a runner does.
  ///
  /// @param detail what was wrong
  public static byte[] brokeProtocol(String detail) {
    return Json.CAMEL.write(
        new FunctionError(
            "Runner protocol broken while loading: " + detail, "Runtime.ProtocolError", List.of()));
  }
}
