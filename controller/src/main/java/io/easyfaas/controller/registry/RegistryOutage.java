package io.easyfaas.controller.registry;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import java.time.Duration;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Whether the registry answers, told in the log when that changes, at most once a minute.
/// Thread-safe.
final class RegistryOutage {
  private static final Logger LOG = LoggerFactory.getLogger(RegistryOutage.class);
  private static final Duration QUIET = Duration.ofMinutes(1);

  private final Duration maxStale;
  private final LongSupplier nanoTime;
  private volatile boolean on;

  @GuardedBy("this")
  private boolean told;

  @GuardedBy("this")
  private long toldAt;

  /// @param maxStale how long functions go on without the registry
  RegistryOutage(Duration maxStale, LongSupplier nanoTime) {
    this.maxStale = maxStale;
    this.nanoTime = nanoTime;
    this.toldAt = nanoTime.getAsLong() - QUIET.toNanos();
  }

  /// Whether the last question was not answered.
  boolean isOn() {
    return on;
  }

  /// The registry answered.
  void answered() {
    if (on) {
      end();
    }
  }

  /// The registry refused, or did not answer at all. That it failed over one function says nothing
  /// of the others.
  void answered(ApiException failure) {
    if (failure.code().status() < ErrorCode.SERVICE.status()) {
      answered();
    } else if (failure.code() != ErrorCode.SERVICE && !on) {
      begin(failure);
    }
  }

  private synchronized void begin(ApiException failure) {
    long now = nanoTime.getAsLong();
    if (!on && now - toldAt >= QUIET.toNanos()) {
      told = true;
      toldAt = now;
      LOG.warn("{}; functions go on as they were for {}s", words(failure), maxStale.toSeconds());
    }
    on = true;
  }

  /// What is told of an answer that did not come: what was tried, and what happened.
  static String words(ApiException failure) {
    StringBuilder words = new StringBuilder("the function registry does not answer");
    failure.document().backtrace().forEach(step -> words.append(": ").append(step.message()));
    return words.toString();
  }

  private synchronized void end() {
    if (told) {
      told = false;
      LOG.info("the function registry answers again");
    }
    on = false;
  }
}
