package io.easyfaas.funclet;

import io.easyfaas.common.config.ConfigException;
import io.easyfaas.common.config.Settings;
import io.easyfaas.funclet.cgroup.CgroupException;
import io.easyfaas.funclet.launch.LaunchException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The funclet process: starts, runs until SIGTERM or SIGINT, ends in order.
public final class FuncletMain {
  private static final Logger LOG = LoggerFactory.getLogger(FuncletMain.class);

  private FuncletMain() {}

  /// Runs the process.
  ///
  /// @param args see {@link FuncletConfig#options()}
  /// @param environment usually {@link System#getenv()}
  /// @return the exit status: 0 after a signal, 1 when it could not start
  public static int run(List<String> args, Map<String, String> environment) {
    try {
      FuncletConfig config = FuncletConfig.parse(args, environment);
      LOG.info(
          "funclet starts with {}",
          Settings.parse(FuncletConfig.options(), args, environment).effective());
      Funclet funclet = Funclet.start(config);
      awaitSignal(funclet);
      return 0;
    } catch (ConfigException | CgroupException | LaunchException e) {
      LOG.error("{}", e.getMessage());
      return 1;
    }
  }

  /// Returns when the virtual machine is asked to end and funclet is closed.
  private static void awaitSignal(Funclet funclet) {
    CountDownLatch isClosed = new CountDownLatch(1);
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  funclet.close();
                  isClosed.countDown();
                },
                "funclet-shutdown"));
    try {
      isClosed.await();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      funclet.close();
    }
  }

  /// Runs the process and ends the virtual machine.
  public static void main(String[] args) {
    int status = run(List.of(args), System.getenv());
    if (status != 0) {
      System.exit(status);
    }
  }
}
