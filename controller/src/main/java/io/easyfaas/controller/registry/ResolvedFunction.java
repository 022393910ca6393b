package io.easyfaas.controller.registry;

import static java.util.Objects.requireNonNullElse;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.function.FunctionConfiguration;
import io.easyfaas.common.function.FunctionDocument;
import io.easyfaas.common.function.RuntimeConfiguration;
import io.easyfaas.common.json.Json;
import io.easyfaas.common.wire.LoadRequest;
import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// A function's revision with everything the invoke path needs, worked out once. Immutable, but for
/// the bytes of `load`, which nobody changes.
///
/// @param document as the registry served it
/// @param runtime how its runner is started
/// @param key what a warm sandbox must have to serve it
/// @param version `$LATEST` or digits
/// @param timeout the time one call may take
/// @param memory what one sandbox of it needs
/// @param concurrency calls one sandbox may run at once, at least 1
/// @param maxInFlight calls all sandboxes together may run at once; 0 = none at all
/// @param keepsUserLog whether its output is kept in the user log
/// @param load payload of the LOAD frame, see protocol.md §4
@SuppressWarnings("ArrayRecordComponent") // Compared by key.
public record ResolvedFunction(
    FunctionDocument document,
    RuntimeConfiguration runtime,
    FunctionKey key,
    String version,
    Duration timeout,
    ByteSize memory,
    int concurrency,
    int maxInFlight,
    boolean keepsUserLog,
    byte[] load) {
  private static final int OBJECT_BYTES = 2048; // The records and their texts' headers.
  private static final int PAIR_BYTES = 128; // A name and a value in a map, and the map's share.

  /// Works out everything from a registry's documents.
  public static ResolvedFunction of(FunctionDocument document, RuntimeConfiguration runtime) {
    FunctionConfiguration configuration = document.configuration();
    String version = configuration.versionOrDefault();
    LoadRequest load =
        new LoadRequest(
            configuration.functionArn(),
            configuration.functionName(),
            version,
            configuration.handler(),
            RuntimeConfiguration.CODE_ROOT,
            configuration.memoryMebibytesOrDefault(),
            configuration.timeoutSecondsOrDefault(),
            configuration.concurrencyPerSandbox(),
            configuration.variables());
    return new ResolvedFunction(
        document,
        runtime,
        new FunctionKey(commitId(configuration), configuration.functionArn(), uid(document)),
        version,
        Duration.ofSeconds(configuration.timeoutSecondsOrDefault()),
        ByteSize.ofMebibytes(configuration.memoryMebibytesOrDefault()),
        configuration.concurrencyPerSandbox(),
        maxInFlight(document),
        isLogType(configuration.logType())
            || (document.logConfig() != null && isLogType(document.logConfig().logType())),
        Json.CAMEL.write(load));
  }

  /// The plain name.
  public String name() {
    return configuration().functionName();
  }

  /// The owner's plain account id; empty when the registry names none.
  public String uid() {
    return key.uid();
  }

  /// Everything else that belongs to the revision.
  public FunctionConfiguration configuration() {
    return document.configuration();
  }

  /// How many bytes of memory it takes, at most.
  long weight() {
    int pairs = configuration().variables().size() + document.tags().size();
    // Two bytes a character, as it is with one beyond Latin-1 in a text.
    return OBJECT_BYTES + (long) PAIR_BYTES * pairs + 2 * document.characters() + load.length;
  }

  /// Whether the same documents would give the same result.
  boolean isMadeOf(FunctionDocument otherDocument, RuntimeConfiguration otherRuntime) {
    return document.equals(otherDocument) && runtime.equals(otherRuntime);
  }

  private static String commitId(FunctionConfiguration configuration) {
    String commitId = configuration.commitId();
    return commitId == null || commitId.isEmpty()
        // A registry without commit ids: what it does tell must do.
        ? configuration.codeSha256() + "@" + requireNonNullElse(configuration.lastModified(), "")
        : commitId;
  }

  private static String uid(FunctionDocument document) {
    String uid = document.configuration().uid();
    return uid == null || uid.isEmpty() ? requireNonNullElse(document.uid(), "") : uid;
  }

  private static int maxInFlight(FunctionDocument document) {
    FunctionDocument.Concurrency concurrency = document.concurrency();
    Integer reserved = concurrency == null ? null : concurrency.reservedConcurrentExecutions();
    return reserved == null ? Integer.MAX_VALUE : Math.max(0, reserved);
  }

  private static boolean isLogType(@Nullable String logType) {
    return logType != null
        && !logType.isEmpty()
        && !logType.toLowerCase(Locale.ROOT).equals("none");
  }
}
