package io.easyfaas.controller.runtime;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Does what must keep nothing after it from being done: what fails is logged, and that is all.
final class Regardless {
  private static final Logger LOG = LoggerFactory.getLogger(Regardless.class);

  private Regardless() {}

  /// Does one thing. Throws nothing.
  ///
  /// @return what it threw, or null
  static @Nullable Throwable run(Runnable step) {
    try {
      step.run();
      return null;
    } catch (Throwable e) {
      LOG.error("the engine failed", e);
      return e;
    }
  }

  /// Does several things, in order. Throws nothing.
  static void all(Runnable... steps) {
    for (Runnable step : steps) {
      Throwable _ = run(step);
    }
  }
}
