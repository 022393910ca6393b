package io.easyfaas.common.config;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// The values of a process's options, read once at start. Immutable.
///
/// The typed getters throw {@link ConfigException} with the key, the value and what was expected.
public final class Settings {
  private final Map<String, String> values;

  private Settings(Map<String, String> values) {
    this.values = values;
  }

  /// Reads the command line and the environment.
  ///
  /// @param options every key that exists
  /// @param args `--key value` or `--key=value`; a key of kind `flag` may stand alone. A value that
  ///   starts with two dashes needs the second form
  /// @param environment usually {@link System#getenv()}
  /// @throws ConfigException when a flag is unknown or lacks its value
  public static Settings parse(
      List<Option> options, List<String> args, Map<String, String> environment) {
    Map<String, Option> known = new LinkedHashMap<>();
    Map<String, String> values = new LinkedHashMap<>();
    for (Option option : options) {
      known.put(option.key(), option);
      values.put(option.key(), environment.getOrDefault(option.variable(), option.defaultValue()));
    }
    for (int i = 0; i < args.size(); i++) {
      String arg = args.get(i);
      if (!arg.startsWith("--")) {
        throw new ConfigException("argument: \"" + arg + "\" (expected: --key value)");
      }
      int equals = arg.indexOf('=');
      String key = (equals < 0 ? arg : arg.substring(0, equals)).substring(2).replace('_', '-');
      Option option = known.get(key);
      if (option == null) {
        throw new ConfigException(
            "unknown flag --"
                + key
                + " (expected one of: "
                + String.join(", ", known.keySet())
                + ")");
      }
      boolean isFlag = option.kind().equals("flag");
      if (equals >= 0) {
        values.put(key, arg.substring(equals + 1));
      } else if (isFlag && (i + 1 == args.size() || args.get(i + 1).startsWith("--"))) {
        values.put(key, "true");
      } else if (i + 1 < args.size() && !args.get(i + 1).startsWith("--")) {
        values.put(key, args.get(++i));
      } else {
        throw new ConfigException("--" + key + ": no value (expected: " + option.kind() + ")");
      }
    }
    return new Settings(values);
  }

  /// The value as it was written.
  public String text(String key) {
    String value = values.get(key);
    if (value == null) {
      throw new IllegalArgumentException("key: \"" + key + "\" is not an option");
    }
    return value;
  }

  /// A whole number.
  public int integer(String key, int min, int max) {
    String value = text(key);
    try {
      int number = Integer.parseInt(value);
      if (number >= min && number <= max) {
        return number;
      }
    } catch (NumberFormatException _) {
      // Falls through to the one message for both.
    }
    throw bad(key, value, "a whole number from " + min + " to " + max);
  }

  /// A TCP port; 0 lets the system choose one.
  public int port(String key) {
    return integer(key, 0, 65535);
  }

  /// A number with decimals, for example CPU cores.
  public double decimal(String key, double min, double max) {
    String value = text(key);
    try {
      double number = Double.parseDouble(value);
      if (number >= min && number <= max) {
        return number;
      }
    } catch (NumberFormatException _) {
      // Falls through to the one message for both.
    }
    throw bad(key, value, "a number from " + min + " to " + max);
  }

  /// `true` or `false`.
  public boolean flag(String key) {
    String value = text(key).toLowerCase(Locale.ROOT);
    return switch (value) {
      case "true" -> true;
      case "false", "" -> false;
      default -> throw bad(key, value, "true or false");
    };
  }

  /// A duration such as `500ms`, `30s`, `5m`, `1h`.
  public Duration duration(String key) {
    String value = text(key);
    try {
      return Durations.parse(value);
    } catch (ConfigException _) {
      throw bad(key, value, "a number and a unit: ms, s, m or h");
    }
  }

  /// A duration of some use.
  ///
  /// @param least a shorter one is refused
  public Duration duration(String key, Duration least) {
    Duration value = duration(key);
    if (value.compareTo(least) < 0) {
      throw bad(key, text(key), "at least " + Durations.text(least));
    }
    return value;
  }

  /// A size such as `128MiB`.
  public ByteSize bytes(String key) {
    try {
      return ByteSize.parse(text(key));
    } catch (ConfigException e) {
      throw new ConfigException("--" + key + ": " + e.getMessage());
    }
  }

  /// A size of some use.
  ///
  /// @param least a smaller one is refused
  public ByteSize bytes(String key, ByteSize least) {
    ByteSize value = bytes(key);
    if (value.compareTo(least) < 0) {
      throw bad(key, text(key), "at least " + least);
    }
    return value;
  }

  /// A path, made absolute.
  public Path path(String key) {
    String value = text(key);
    if (value.isEmpty()) {
      throw bad(key, value, "a path");
    }
    try {
      return Path.of(value).toAbsolutePath().normalize();
    } catch (InvalidPathException _) {
      throw bad(key, value, "a path");
    }
  }

  /// Every key with its effective value, one `key=value` an entry, for the log at start.
  public List<String> effective() {
    return values.entrySet().stream().map(e -> e.getKey() + "=" + e.getValue()).toList();
  }

  private static ConfigException bad(String key, String value, String expected) {
    return new ConfigException("--" + key + ": \"" + value + "\" (expected: " + expected + ")");
  }
}
