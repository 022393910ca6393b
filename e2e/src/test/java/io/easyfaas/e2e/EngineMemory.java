package io.easyfaas.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/// What of the machine's memory the engine's own process has, and may have. Its sandboxes are not
/// counted. See proc_pid_status(5).
///
/// @param engine which runs
record EngineMemory(EngineProcess engine) {
  private static final Pattern PLAN = Pattern.compile("memory: .* together (\\d+)MiB");
  private static final Pattern PEAK = Pattern.compile("VmHWM:\\s+(\\d+) kB");

  // No engine plans with more; for one whose log nobody reads.
  private static final long MOST_MEBIBYTES = 512;

  /// The most that was ever resident, in mebibytes. The kernel keeps count, so nothing is missed.
  long peak() {
    try {
      String status = Files.readString(Path.of("/proc/" + engine.pid() + "/status"));
      return find(PEAK, status, 0) / 1024;
    } catch (IOException e) {
      throw new UncheckedIOException(engine + " has ended", e);
    }
  }

  /// Checks that the engine has never had more than it said when it started.
  void assertWithinPlan() {
    assertThat(peak())
        .describedAs("most MiB resident")
        .isBetween(1L, find(PLAN, engine.log(), MOST_MEBIBYTES));
  }

  private static long find(Pattern pattern, String text, long otherwise) {
    return pattern
        .matcher(text)
        .results()
        .map(MatchResult::group)
        .map(found -> Long.parseLong(pattern.matcher(found).replaceFirst("$1")))
        .findFirst()
        .orElse(otherwise);
  }
}
