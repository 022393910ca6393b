package io.easyfaas.controller;

import static java.util.Objects.requireNonNull;

import io.easyfaas.common.budget.MemoryPlan;
import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.config.ConfigException;
import io.easyfaas.common.config.Option;
import io.easyfaas.common.config.Settings;
import io.easyfaas.common.config.SocketPath;
import io.easyfaas.common.http.HttpAddress;
import io.easyfaas.common.wire.FuncletApi;
import io.easyfaas.controller.registry.FunctionCache;
import io.easyfaas.controller.userlog.UserLogFormat;
import io.easyfaas.controller.userlog.UserLogLimits;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Everything that can be set about a controller.
///
/// @param listen address of the public API
/// @param funcletSocket funclet's API socket
/// @param runDir sockets of the controller's own
/// @param repository where functions are registered, and how it is asked
/// @param slots how sandboxes are used and kept
/// @param userLog where the output of functions that want it goes
/// @param eventLoops threads of the invoke path
/// @param functions what is kept of the registry's answers
/// @param checksCaller whether the caller's account must be the function's owner
/// @param maxBody largest request body
public record ControllerConfig(
    HttpAddress.Tcp listen,
    Path funcletSocket,
    Path runDir,
    Repository repository,
    Slots slots,
    UserLogs userLog,
    int eventLoops,
    Functions functions,
    boolean checksCaller,
    ByteSize maxBody) {
  /// A frame carries no more, see protocol.md §2; the rest of it is the head.
  private static final ByteSize LARGEST_BODY = ByteSize.ofMebibytes(6);

  // In less an interpreter does not start, on a machine that has other things to do.
  private static final Duration LEAST_ALIVE_TIMEOUT = Duration.ofMillis(100);

  /// A function registry.
  ///
  /// @param endpoint its address
  /// @param version path segments between the address and its resources
  /// @param authTransfer whether it sees the caller's `Authorization`
  public record Repository(HttpAddress endpoint, String version, boolean authTransfer) {}

  /// What is kept of the registry's answers.
  ///
  /// @param maxBytes memory for them
  /// @param latestCache how long `$LATEST` is believed; zero asks the registry for every call
  /// @param latestStale how much longer while the registry does not answer
  public record Functions(ByteSize maxBytes, Duration latestCache, Duration latestStale) {
    FunctionCache.Limits limits(Duration timeout) {
      return new FunctionCache.Limits(maxBytes, latestCache, latestStale, timeout);
    }
  }

  /// How sandboxes are used and kept.
  ///
  /// @param aliveTimeout how long a started runner may take to connect
  /// @param maxIdle how long a warm sandbox is kept after its last call
  /// @param maxQueue calls that may wait for a sandbox at once
  /// @param maxQueueBytes bytes that waiting calls may keep in memory together
  /// @param maxQueueWait how long one may wait
  /// @param freezeAfter how long a warm sandbox runs on after its last call; zero = always
  /// @param maxPrewarmed started runners kept ready, all languages together
  public record Slots(
      Duration aliveTimeout,
      Duration maxIdle,
      int maxQueue,
      ByteSize maxQueueBytes,
      Duration maxQueueWait,
      Duration freezeAfter,
      int maxPrewarmed) {}

  /// The user log.
  ///
  /// @param format of its files
  /// @param root directory of its files
  /// @param limits what its files may take
  public record UserLogs(UserLogFormat format, Path root, UserLogLimits limits) {}

  /// Checks what no single setting shows.
  public ControllerConfig {
    requireNonNull(listen, "listen");
    if (maxBody.compareTo(LARGEST_BODY) > 0) {
      throw new ConfigException("--max-body: " + maxBody + " (expected: at most 6MiB)");
    }
    if (slots.maxQueueBytes().compareTo(maxBody) < 0) {
      throw new ConfigException(
          "--max-queue-bytes: "
              + slots.maxQueueBytes()
              + " (expected: at least --max-body, "
              + maxBody
              + ")");
    }
    if (slots.maxQueueWait().isZero()) {
      throw new ConfigException("--max-queue-wait: 0 (expected: more; --max-queue 0 turns it off)");
    }
    SocketPath.check("--run-dir", runDir.resolve("channels/00.sock"));
  }

  /// Where runners' channels are handed over.
  Path channels() {
    return runDir.resolve("channels");
  }

  /// Every setting with its default, for parsing, help texts and docs/operations.md.
  public static List<Option> options() {
    return List.of(
        new Option("port", "port", "8001", "TCP port of the public API; 0 lets the system choose."),
        new Option("bind-address", "host", "127.0.0.1", "Address the public API listens on."),
        new Option(
            "funclet-api-sock",
            "path",
            "",
            "Socket of funclet's API; default " + FuncletApi.SOCKET + " in --run-dir."),
        new Option("run-dir", "path", "/var/run/faas", "Sockets."),
        new Option(
            "repository-endpoint", "url", "http://127.0.0.1:8002", "Address of the registry."),
        new Option(
            "repository-version", "path", "v1", "Path segments before the registry's resources."),
        new Option(
            "repository-auth-transfer",
            "flag",
            "false",
            "Whether the registry sees the caller's Authorization header."),
        new Option("event-loops", "number", "1", "Threads of the invoke path, at most 64."),
        new Option(
            "runtime-alive-timeout",
            "duration",
            "10s",
            "How long a started runner may take to connect; at least 100ms."),
        new Option(
            "max-runtime-idle",
            "duration",
            "60s",
            "How long a warm sandbox is kept after its last call."),
        new Option(
            "freeze-after",
            "duration",
            "5s",
            "How long a warm sandbox runs on after its last call before it is paused; 0s: never."),
        new Option(
            "max-prewarmed",
            "number",
            "2",
            "Started runners kept ready for the languages in use, at most 4096 together; 0: "
                + "none."),
        new Option(
            "max-queue",
            "number",
            "1000",
            "Calls that may wait at once, for the registry or a sandbox, besides those that "
                + "one is being made for; at most 1000000."),
        new Option(
            "max-queue-bytes",
            "size",
            "64MiB",
            "Bytes of request bodies that waiting calls may keep in memory; at least --max-body."),
        new Option(
            "max-queue-wait",
            "duration",
            "5s",
            "How long a call waits for a sandbox, and before that for the registry; a "
                + "warm-up under way for it is not counted, nor one that failed."),
        new Option(
            "latest-cache",
            "duration",
            "1s",
            "How long $LATEST is believed; 0s asks the registry for every call."),
        new Option(
            "latest-stale",
            "duration",
            "60s",
            "How much longer it is used while the registry does not answer; 0s: not at all."),
        new Option(
            "function-cache-size",
            "size",
            MemoryPlan.ofThisProcess().functions().toString(),
            "Memory for what the registry answered; default: a sixteenth of the heap."),
        new Option("userlog-type", "plain or json", "plain", "Format of user logs."),
        new Option("data-dir", "path", "/var/faas", "Directory of the engine's data."),
        new Option(
            "userlog-filepath", "path", "", "Directory of user logs; data-dir/logs if empty."),
        new Option("userlog-call-size", "size", "6MiB", "Most that is written of one call."),
        new Option(
            "userlog-file-size",
            "size",
            "4MiB",
            "Size at which a file is put aside for a new one."),
        new Option("userlog-files", "number", "4", "Files kept of one revision, at most 100."),
        new Option("userlog-total-size", "size", "256MiB", "What all user logs may take."),
        new Option(
            "enable-simple-auth",
            "flag",
            "true",
            "Whether the caller's account must be the function's owner."),
        new Option("max-body", "size", "6MiB", "Largest request body, at most 6MiB."));
  }

  /// Reads the command line and the environment.
  ///
  /// @throws ConfigException when a setting cannot be used
  public static ControllerConfig parse(List<String> args, Map<String, String> environment) {
    return of(Settings.parse(options(), args, environment));
  }

  /// Takes the values of settings that have every key of {@link #options}.
  ///
  /// @throws ConfigException when a setting cannot be used
  public static ControllerConfig of(Settings settings) {
    return new ControllerConfig(
        new HttpAddress.Tcp(settings.text("bind-address"), settings.port("port")),
        settings.text("funclet-api-sock").isEmpty()
            ? settings.path("run-dir").resolve(FuncletApi.SOCKET)
            : settings.path("funclet-api-sock"),
        settings.path("run-dir"),
        new Repository(
            endpoint(settings.text("repository-endpoint")),
            version(settings.text("repository-version")),
            settings.flag("repository-auth-transfer")),
        new Slots(
            settings.duration("runtime-alive-timeout", LEAST_ALIVE_TIMEOUT),
            settings.duration("max-runtime-idle"),
            settings.integer("max-queue", 0, 1_000_000),
            settings.bytes("max-queue-bytes"),
            settings.duration("max-queue-wait"),
            settings.duration("freeze-after"),
            settings.integer("max-prewarmed", 0, 4096)),
        userLogs(settings),
        settings.integer("event-loops", 1, 64),
        new Functions(
            settings.bytes("function-cache-size"),
            settings.duration("latest-cache"),
            settings.duration("latest-stale")),
        settings.flag("enable-simple-auth"),
        settings.bytes("max-body"));
  }

  private static UserLogs userLogs(Settings settings) {
    boolean isDerived = settings.text("userlog-filepath").isEmpty();
    return new UserLogs(
        format(settings.text("userlog-type")),
        isDerived ? settings.path("data-dir").resolve("logs") : settings.path("userlog-filepath"),
        new UserLogLimits(
            settings.bytes("userlog-call-size"),
            settings.bytes("userlog-file-size"),
            settings.integer("userlog-files", 1, 100),
            settings.bytes("userlog-total-size")));
  }

  private static HttpAddress endpoint(String text) {
    try {
      return HttpAddress.parse(text);
    } catch (IllegalArgumentException e) {
      throw new ConfigException("--repository-endpoint: " + e.getMessage());
    }
  }

  private static String version(String text) {
    if (!text.matches("[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*")) {
      throw new ConfigException(
          "--repository-version: \"" + text + "\" (expected: path segments, for example v1)");
    }
    return text;
  }

  private static UserLogFormat format(String text) {
    return switch (text.toLowerCase(Locale.ROOT)) {
      case "plain" -> UserLogFormat.PLAIN;
      case "json" -> UserLogFormat.JSON;
      default ->
          throw new ConfigException("--userlog-type: \"" + text + "\" (expected: plain or json)");
    };
  }
}
