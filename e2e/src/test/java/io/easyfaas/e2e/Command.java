package io.easyfaas.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.JsonNode;

/// Runs programs to their end.
final class Command {
  private static final long DEADLINE_SECONDS = 30;

  /// How a program ended.
  ///
  /// @param status its exit status
  /// @param out its standard output
  /// @param err its standard error
  record Result(int status, String out, String err) {
    /// Standard output, which must be JSON.
    JsonNode json() {
      return Answer.json(out);
    }

    /// Both outputs.
    String text() {
      return out + err;
    }
  }

  private Command() {}

  /// Runs a program with this environment only and an empty standard input.
  ///
  /// @throws AssertionError when it does not end; it is killed then
  static Result run(List<String> command, Map<String, String> environment) {
    return run(command, environment, "");
  }

  /// Runs a program with something on its standard input.
  static Result run(List<String> command, Map<String, String> environment, String input) {
    try {
      Path in = Files.createTempFile("easyfaas-e2e-", ".in");
      Path out = Files.createTempFile("easyfaas-e2e-", ".out");
      Path err = Files.createTempFile("easyfaas-e2e-", ".err");
      try {
        Files.writeString(in, input);
        ProcessBuilder builder =
            new ProcessBuilder(command)
                .redirectInput(in.toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        builder.environment().clear();
        builder.environment().putAll(environment);
        int status = await(builder.start(), command);
        return new Result(status, Files.readString(out, UTF_8), Files.readString(err, UTF_8));
      } finally {
        Files.delete(in);
        Files.delete(out);
        Files.delete(err);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static int await(Process process, List<String> command) {
    try {
      if (process.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS)) {
        return process.exitValue();
      }
      process.destroyForcibly();
      throw new AssertionError("no end in " + DEADLINE_SECONDS + " s: " + command);
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted: " + command, e);
    }
  }
}
