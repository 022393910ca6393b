package io.easyfaas.controller.pool;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.wire.FunctionError;
import io.easyfaas.common.wire.RunnerExit;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The error objects that the controller makes in a runner's place, see protocol.md §6.
public final class FunctionErrors {
  private static final Map<Integer, String> SIGNALS =
      Map.of(
          1, "hangup",
          2, "interrupt",
          4, "illegal instruction",
          6, "aborted",
          7, "bus error",
          8, "floating point exception",
          9, "killed",
          11, "segmentation fault",
          13, "broken pipe",
          15, "terminated");

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
            : new FunctionError(
                message + exit.map(FunctionErrors::how).orElse(""),
                "Runtime.ExitError",
                List.of()));
  }

  private static String how(RunnerExit exit) {
    return exit.signal() == 0
        ? ": exit status " + exit.code()
        : ": signal: " + SIGNALS.getOrDefault(exit.signal(), Integer.toString(exit.signal()));
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
