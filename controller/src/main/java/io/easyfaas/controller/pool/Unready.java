package io.easyfaas.controller.pool;

import java.util.Locale;

/// Why calls should go elsewhere for now.
public enum Unready {
  /// Whether sandboxes can take code is not known yet.
  STARTING,
  /// The engine is stopping; calls in flight end.
  DRAINING,
  /// No more calls may wait, or one has waited for a second.
  FULL,
  /// The last try to put code into a sandbox failed, or no sandbox can be made.
  NO_SANDBOX;

  /// As it is written outside: `no-sandbox`.
  public String word() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
