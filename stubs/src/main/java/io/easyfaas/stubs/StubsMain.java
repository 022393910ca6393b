package io.easyfaas.stubs;

import io.easyfaas.common.config.ConfigException;
import io.easyfaas.common.config.Option;
import io.easyfaas.common.config.Settings;
import io.easyfaas.common.http.EventLoops;
import io.easyfaas.common.http.HttpException;
import io.easyfaas.stubs.store.StoreException;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The local registry as a process of its own. Runs until SIGTERM or SIGINT. Exit status 2 for bad
/// settings, 1 when it could not start.
public final class StubsMain {
  private static final Logger LOG = LoggerFactory.getLogger(StubsMain.class);
  private static final int LOOPS = 1; // Requests are rare and their work is on virtual threads.

  private StubsMain() {}

  /// Starts the process.
  ///
  /// @param args see {@link StubsConfig#OPTIONS}, or `--help`
  public static void main(String[] args) throws InterruptedException {
    if (List.of(args).contains("--help")) {
      System.out.print(usage());
      return;
    }
    try {
      Settings settings = Settings.parse(StubsConfig.OPTIONS, List.of(args), System.getenv());
      StubsConfig config = StubsConfig.of(settings);
      LOG.info("settings: {}", settings.effective());
      run(config);
    } catch (ConfigException e) {
      System.err.println("stubs: " + e.getMessage());
      System.exit(2);
    } catch (StoreException | HttpException e) {
      System.err.println("stubs: " + e.getMessage());
      System.exit(1);
    }
  }

  private static void run(StubsConfig config) throws InterruptedException {
    EventLoops loops = new EventLoops(LOOPS);
    Stubs stubs = new Stubs(config, loops);
    CountDownLatch stopped = new CountDownLatch(1);
    stubs.start();
    Runtime.getRuntime()
        .addShutdownHook(
            Thread.ofPlatform()
                .name("shutdown")
                .unstarted(() -> {
                  stubs.close();
                  loops.close();
                  stopped.countDown();
                }));
    stopped.await();
  }

  private static String usage() {
    StringBuilder text = new StringBuilder("usage: stubs [--key value]…\n\n");
    for (Option option : StubsConfig.OPTIONS) {
      text.append(
          "  %-16s %-9s %s [%s]%n"
              .formatted(
                  option.flag(), option.kind(), option.description(), option.defaultValue()));
    }
    return text.toString();
  }
}
