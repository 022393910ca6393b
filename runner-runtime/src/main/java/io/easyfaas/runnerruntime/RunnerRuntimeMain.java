package io.easyfaas.runnerruntime;

import io.easyfaas.common.config.ConfigException;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The process that lays out root file system and runtimes, and ends.
public final class RunnerRuntimeMain {
  private static final Logger LOG = LoggerFactory.getLogger(RunnerRuntimeMain.class);

  private RunnerRuntimeMain() {}

  /// Runs the process.
  ///
  /// @param args see {@link RunnerRuntimeConfig#options()}
  /// @param environment usually {@link System#getenv()}
  /// @return the exit status: 0, also when languages are missing; 1 when nothing could be laid out
  public static int run(List<String> args, Map<String, String> environment) {
    try {
      RunnerRuntimeConfig config = RunnerRuntimeConfig.parse(args, environment);
      RunnerRuntime.prepare(config.dataDirectory(), config.source(), environment);
      return 0;
    } catch (ConfigException e) {
      LOG.error("{}", e.getMessage());
      return 1;
    }
  }

  /// Runs the process and ends the virtual machine.
  public static void main(String[] args) {
    System.exit(run(List.of(args), System.getenv()));
  }
}
