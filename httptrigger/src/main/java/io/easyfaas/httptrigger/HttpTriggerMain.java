package io.easyfaas.httptrigger;

import io.easyfaas.common.config.ConfigException;
import io.easyfaas.common.config.Option;
import io.easyfaas.common.config.Settings;
import io.easyfaas.common.http.EventLoops;
import io.easyfaas.common.http.HttpException;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The HTTP trigger as a process of its own. Runs until SIGTERM or SIGINT. Exit status 2 for bad
/// settings, 1 when it could not start.
public final class HttpTriggerMain {
  private static final Logger LOG = LoggerFactory.getLogger(HttpTriggerMain.class);

  private HttpTriggerMain() {}

  /// Starts the process.
  ///
  /// @param args see {@link HttpTriggerConfig#OPTIONS}, or `--help`
  public static void main(String[] args) throws InterruptedException {
    if (List.of(args).contains("--help")) {
      System.out.print(usage());
      return;
    }
    try {
      Settings settings = Settings.parse(HttpTriggerConfig.OPTIONS, List.of(args), System.getenv());
      HttpTriggerConfig config = HttpTriggerConfig.of(settings);
      LOG.info("settings: {}", settings.effective());
      run(config);
    } catch (ConfigException e) {
      System.err.println("httptrigger: " + e.getMessage());
      System.exit(2);
    } catch (HttpException e) {
      System.err.println("httptrigger: " + e.getMessage());
      System.exit(1);
    }
  }

  private static void run(HttpTriggerConfig config) throws InterruptedException {
    EventLoops loops = new EventLoops(Runtime.getRuntime().availableProcessors());
    HttpTrigger trigger = new HttpTrigger(config, loops);
    CountDownLatch stopped = new CountDownLatch(1);
    trigger.start();
    Runtime.getRuntime()
        .addShutdownHook(
            Thread.ofPlatform()
                .name("shutdown")
                .unstarted(() -> {
                  trigger.close();
                  loops.close();
                  stopped.countDown();
                }));
    stopped.await();
  }

  private static String usage() {
    StringBuilder text = new StringBuilder("usage: httptrigger [--key value]…\n\n");
    for (Option option : HttpTriggerConfig.OPTIONS) {
      text.append(
          "  %-22s %-9s %s [%s]%n"
              .formatted(
                  option.flag(), option.kind(), option.description(), option.defaultValue()));
    }
    return text.toString();
  }
}
