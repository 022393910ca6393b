package io.easyfaas.httptrigger;

import static java.util.Objects.requireNonNull;

import io.easyfaas.common.brn.FunctionBrn;
import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.config.ConfigException;
import io.easyfaas.common.config.Durations;
import io.easyfaas.common.config.Option;
import io.easyfaas.common.config.Settings;
import io.easyfaas.common.http.HttpAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/// The configuration of the HTTP trigger.
///
/// @param address where it listens; port 0 lets the system choose
/// @param controller where the controller listens
/// @param region of the functions that are called
/// @param timeout the longest wait for the controller's answer
/// @param maxBodySize the largest request body
public record HttpTriggerConfig(
    HttpAddress.Tcp address,
    HttpAddress controller,
    String region,
    Duration timeout,
    ByteSize maxBodySize) {
  /// Every key, with its default.
  public static List<Option> options() {
    return List.of(
        new Option("port", "port", "8003", "Port the trigger listens on."),
        new Option("bind-address", "address", "127.0.0.1", "Address the trigger listens on."),
        new Option(
            "controller-endpoint",
            "address",
            "http://127.0.0.1:8001",
            "Where the controller listens, http://host:port or unix:///path."),
        new Option(
            "region",
            "region",
            FunctionBrn.DEFAULT_REGION,
            "Region in the BRN of every function that is called."),
        // The longest function timeout, and some seconds for its queue and its cold start.
        new Option("timeout", "duration", "930s", "Longest wait for the controller's answer."),
        new Option("max-body-size", "size", "4MiB", "Largest request body, at most 4608KiB."));
  }

  private static final Pattern REGION = Pattern.compile("[a-z]{2,5}[0-9]*");

  // As base64 in an event it must still fit in a frame to the runner, see docs/protocol.md §2.
  private static final ByteSize MAX_MAX_BODY_SIZE = ByteSize.parse("4608KiB");

  /// Checks region, timeout and body size.
  ///
  /// @throws ConfigException naming the key, the value and what was expected
  public HttpTriggerConfig {
    requireNonNull(address, "address");
    requireNonNull(controller, "controller");
    if (!REGION.matcher(region).matches()) {
      throw bad("region", region, "two to five lower-case letters, and digits");
    }
    if (!timeout.isPositive()) {
      throw bad("timeout", Durations.text(timeout), "more than 0ms");
    }
    if (maxBodySize.bytes() == 0 || maxBodySize.compareTo(MAX_MAX_BODY_SIZE) > 0) {
      throw bad(
          "max-body-size", maxBodySize.toString(), "more than 0B, at most " + MAX_MAX_BODY_SIZE);
    }
  }

  /// Reads the configuration.
  ///
  /// @param args `--key value` or `--key=value`
  /// @param environment usually {@link System#getenv()}
  /// @throws ConfigException naming the key, the value and what was expected
  public static HttpTriggerConfig parse(List<String> args, Map<String, String> environment) {
    Settings settings = Settings.parse(options(), args, environment);
    return new HttpTriggerConfig(
        new HttpAddress.Tcp(settings.text("bind-address"), settings.port("port")),
        controller(settings.text("controller-endpoint")),
        settings.text("region"),
        settings.duration("timeout"),
        settings.bytes("max-body-size"));
  }

  private static HttpAddress controller(String text) {
    try {
      return HttpAddress.parse(text);
    } catch (IllegalArgumentException e) {
      throw new ConfigException("--controller-endpoint: " + e.getMessage());
    }
  }

  private static ConfigException bad(String key, String value, String expected) {
    return new ConfigException("--" + key + ": \"" + value + "\" (expected: " + expected + ")");
  }
}
