package io.easyfaas.cli;

import io.easyfaas.common.log.LineQueue;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A program that logs more than any pipe takes, and then says that it is done.
final class LogFlood {
  static final int LINES = 30_000;

  private LogFlood() {}

  public static void main(String[] args) {
    Logger log = LoggerFactory.getLogger("io.easyfaas.Flood");
    for (int i = 0; i < LINES; i++) {
      log.info("line {} of {}", i, "x".repeat(100));
    }
    System.out.println("done");
    log.warn("the end");
    LineQueue.standardError().flush(Duration.ofSeconds(30));
  }
}
