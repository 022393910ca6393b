package io.easyfaas.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What of the machine's memory the engine's own process has, and may have. Its sandboxes are not
/// counted. See proc_pid_status(5).
///
/// @param engine which runs
/// @param most mebibytes that it may have
record EngineMemory(EngineProcess engine, long most) {
  private static final Pattern PLAN = Pattern.compile("memory: .* together (\\d+)MiB");
  private static final Pattern PEAK = Pattern.compile("VmHWM:\\s+(\\d+) kB");

  /// Of an engine that may have what it said when it started.
  ///
  /// @throws AssertionError when it said nothing
  static EngineMemory planned(EngineProcess engine) {
    return new EngineMemory(engine, planIn(engine.log()));
  }

  /// The plan that a log has, in mebibytes.
  ///
  /// @throws AssertionError when it has none
  static long planIn(String log) {
    return find(PLAN, log);
  }

  /// The most that was ever resident, in mebibytes. The kernel keeps count, so nothing is missed.
  long peak() {
    try {
      String status = Files.readString(Path.of("/proc/" + engine.pid() + "/status"));
      return find(PEAK, status) / 1024;
    } catch (IOException e) {
      throw new UncheckedIOException(engine + " has ended", e);
    }
  }

  /// Checks that the engine has never had more than it may.
  void assertWithinPlan() {
    assertThat(peak()).describedAs("most MiB resident").isBetween(1L, most);
  }

  private static long find(Pattern pattern, String text) {
    Matcher found = pattern.matcher(text);
    if (!found.find()) {
      throw new AssertionError("no \"" + pattern + "\" in: " + text);
    }
    return Long.parseLong(found.group(1));
  }
}
