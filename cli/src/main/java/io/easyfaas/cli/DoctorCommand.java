package io.easyfaas.cli;

import io.easyfaas.common.json.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `easyfaas doctor`: tries every kernel feature the engine uses on this very machine, and says
/// what is lost without it. Exits with 3 when the engine could not run here.
@Command(name = "doctor", description = "Say what this machine offers and what is lost without it.")
final class DoctorCommand implements Callable<Integer> {
  private static final int TIMEOUT_SECONDS = 20;
  private static final String EVERYTHING = "functions cannot run";

  /// What is lost without a feature that is not required.
  private static final Map<String, String> LOST =
      Map.of(
          "cgroup-v1-memory", "on a cgroup v1 machine: no memory limit, no out-of-memory report",
          "cgroup-v1-pids", "on a cgroup v1 machine: a fork bomb is bounded by the host only",
          "cgroup-v1-cpu", "on a cgroup v1 machine: functions share the processor without weights",
          "cgroup-v1-freezer", "on a cgroup v1 machine: an idle sandbox cannot be paused",
          "cgroup-v2", "on a cgroup v2 machine: no limits at all; not needed where v1 is used",
          "overlayfs", "functions see who uses the host's /usr (inotify), and can lock its files",
          "node", "functions in JavaScript cannot run",
          "python3", "functions in Python cannot run");

  /// One line of `easyfaas-launcher check`.
  ///
  /// @param feature its name
  /// @param present whether trying it succeeded
  /// @param required whether there is no sandbox without it
  record Check(String feature, boolean present, boolean required) {}

  /// What the user is told of one feature.
  ///
  /// @param feature its name
  /// @param present whether it is there
  /// @param required whether the engine cannot run without it
  /// @param lostWithout what does not work without it
  record Finding(String feature, boolean present, boolean required, String lostWithout) {
    static Finding of(Check check) {
      String lost = check.required() ? EVERYTHING : LOST.getOrDefault(check.feature(), "nothing");
      return new Finding(check.feature(), check.present(), check.required(), lost);
    }
  }

  @Option(
      names = "--launcher",
      paramLabel = "<path>",
      defaultValue = "${env:EASYFAAS_LAUNCHER:-easyfaas-launcher}",
      description = "The launcher's program file (default: the one of this installation).")
  private String launcher = "";

  @Mixin private OutputOption output = new OutputOption();
  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    List<Finding> findings = new ArrayList<>();
    findings.add(Finding.of(new Check("root", isRoot(), true)));
    kernelChecks().forEach(check -> findings.add(Finding.of(check)));
    findings.add(Finding.of(new Check("node", isOnPath("node"), false)));
    findings.add(Finding.of(new Check("python3", isOnPath("python3"), false)));
    if (output.isJson()) {
      spec.commandLine().getOut().println(Json.PASCAL.writeText(findings));
    } else {
      Table table = new Table("FEATURE", "PRESENT", "WITHOUT IT");
      for (Finding finding : findings) {
        table.row(finding.feature(), finding.present() ? "yes" : "NO", finding.lostWithout());
      }
      spec.commandLine().getOut().print(table);
    }
    boolean canRun =
        findings.stream().allMatch(finding -> finding.present() || !finding.required())
            && hasCgroups(findings);
    return canRun ? ExitStatus.OK : ExitStatus.ENGINE_FAILED;
  }

  private static boolean hasCgroups(List<Finding> findings) {
    return findings.stream()
        .anyMatch(f ->
            f.present()
                && (f.feature().equals("cgroup-v1-memory") || f.feature().equals("cgroup-v2")));
  }

  private List<Check> kernelChecks() {
    try {
      Process process =
          new ProcessBuilder(launcher, "check")
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      List<Check> checks;
      try (var lines = process.inputReader()) {
        checks = lines.lines().map(line -> Json.CAMEL.read(line, Check.class)).toList();
      }
      if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new EngineException(launcher + " check: no end in " + TIMEOUT_SECONDS + " s");
      }
      return checks;
    } catch (IOException e) {
      throw new EngineException("start " + launcher + ": " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new EngineException(launcher + " check: interrupted", e);
    }
  }

  private static boolean isRoot() {
    try {
      return Integer.valueOf(0).equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid"));
    } catch (IOException e) {
      throw new EngineException("read the owner of /proc/self: " + e.getMessage(), e);
    }
  }

  private static boolean isOnPath(String program) {
    for (String directory : System.getenv().getOrDefault("PATH", "").split(":")) {
      if (!directory.isEmpty() && Files.isExecutable(Path.of(directory, program))) {
        return true;
      }
    }
    return false;
  }
}
