package io.easyfaas.common.config;

import static java.util.Objects.requireNonNull;

import java.util.Locale;
import java.util.regex.Pattern;

/// One setting of a process.
///
/// @param key `lower-case-dashed`
/// @param kind how the value is written, for help texts: `port`, `path`, `duration`, …
/// @param defaultValue as it would be written on the command line; empty means "not set"
/// @param description one sentence for help texts and the operations table
public record Option(String key, String kind, String defaultValue, String description) {
  private static final Pattern KEY = Pattern.compile("[a-z][a-z0-9]*(-[a-z0-9]+)*");

  /// Checks the key's form.
  public Option {
    if (!KEY.matcher(requireNonNull(key, "key")).matches()) {
      throw new IllegalArgumentException("key: \"" + key + "\" (expected: lower-case-dashed)");
    }
    requireNonNull(kind, "kind");
    requireNonNull(defaultValue, "defaultValue");
    requireNonNull(description, "description");
  }

  /// The flag on the command line.
  public String flag() {
    return "--" + key;
  }

  /// The environment variable.
  public String variable() {
    return "EASYFAAS_" + key.toUpperCase(Locale.ROOT).replace('-', '_');
  }
}
