package io.easyfaas.controller.userlog;

import io.easyfaas.controller.registry.ResolvedFunction;
import java.util.List;

/// Everything one call printed, with the engine's own lines around it.
///
/// @param function whose call it was
/// @param requestId printable ASCII
/// @param runtimeId the container
/// @param trigger what made the call
/// @param startedNanos when it began, nanoseconds since the epoch
/// @param concurrent whether other calls may have run in the same sandbox
/// @param status 200, or 500 when the function failed
/// @param chunks in order of arrival
public record CallOutput(
    ResolvedFunction function,
    String requestId,
    String runtimeId,
    String trigger,
    long startedNanos,
    boolean concurrent,
    int status,
    List<Chunk> chunks) {
  /// Who wrote.
  public enum Source {
    /// The engine: START, END and REPORT lines.
    FAAS("faas"),
    /// The function's standard output.
    STDOUT("stdout"),
    /// The function's standard error.
    STDERR("stderr");

    private final String wireName;

    Source(String wireName) {
      this.wireName = wireName;
    }

    /// The name in JSON lines.
    public String wireName() {
      return wireName;
    }
  }

  /// Some text from one source.
  ///
  /// @param text UTF-8, any number of lines, the last one possibly not ended
  /// @param epochMillis when it arrived
  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  public record Chunk(Source source, byte[] text, long epochMillis) {
    // The record, the array's header and the list's reference: what one byte of text takes, too.
    private static final int OVERHEAD_BYTES = 64;

    /// Bytes of memory it takes.
    public int cost() {
      return text.length + OVERHEAD_BYTES;
    }
  }

  /// Copies the list.
  public CallOutput {
    chunks = List.copyOf(chunks);
  }

  /// Bytes of memory that all text takes.
  public long cost() {
    return chunks.stream().mapToLong(Chunk::cost).sum();
  }
}
