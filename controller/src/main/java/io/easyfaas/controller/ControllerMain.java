package io.easyfaas.controller;

import io.easyfaas.common.config.ConfigException;
import io.easyfaas.common.config.Option;
import io.easyfaas.common.config.Settings;
import io.easyfaas.common.http.EventLoops;
import io.easyfaas.common.http.HttpAddress;
import io.easyfaas.common.http.HttpClient;
import io.easyfaas.controller.funclet.HttpFunclet;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The controller as a process of its own.
///
/// Exit status: 0 stopped by a signal; 1 it could not start; 2 a setting cannot be used.
public final class ControllerMain {
  private static final Logger LOG = LoggerFactory.getLogger(ControllerMain.class);
  private static final int EXIT_FAILED = 1;
  private static final int EXIT_USAGE = 2;
  private static final int CLOSE_SECONDS = 15;

  private ControllerMain() {}

  /// Runs until SIGTERM or SIGINT.
  public static void main(String[] args) throws InterruptedException {
    List<Option> options = ControllerConfig.options();
    try {
      Settings settings = Settings.parse(options, List.of(args), System.getenv());
      ControllerConfig config = ControllerConfig.of(settings);
      LOG.info("settings: {}", settings.effective());
      run(config);
    } catch (ConfigException e) {
      LOG.error("{}", e.getMessage());
      System.exit(EXIT_USAGE);
    } catch (RuntimeException e) {
      LOG.error("controller: {}", e.getMessage());
      System.exit(EXIT_FAILED);
    }
  }

  private static void run(ControllerConfig config) throws InterruptedException {
    CountDownLatch stop = new CountDownLatch(1);
    CountDownLatch stopped = new CountDownLatch(1);
    try (EventLoops loops = new EventLoops(config.eventLoops());
        HttpClient client = new HttpClient(new HttpAddress.Unix(config.funcletSocket()), loops);
        Controller controller = Controller.start(config, new HttpFunclet(client), loops)) {
      Runtime.getRuntime()
          .addShutdownHook(
              Thread.ofPlatform()
                  .unstarted(() -> {
                    stop.countDown();
                    awaitQuietly(stopped);
                  }));
      LOG.info("controller ready on port {}", controller.port());
      stop.await();
    } finally {
      stopped.countDown();
    }
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      if (!latch.await(CLOSE_SECONDS, TimeUnit.SECONDS)) {
        LOG.warn("controller did not stop in {}s", CLOSE_SECONDS);
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
