package io.easyfaas.controller.engine;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.controller.registry.ResolvedFunction;
import io.easyfaas.controller.runtime.ByteTail;
import io.easyfaas.controller.userlog.CallOutput;
import io.easyfaas.controller.userlog.CallOutput.Chunk;
import io.easyfaas.controller.userlog.CallOutput.Source;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What one call printed, as far as anybody wants it: the tail for the answer, all of it for the
/// user log. Confined to the runner's event loop until the call has ended.
final class CallLog {
  private static final int TAIL_BYTES = 4096;
  private static final int MAX_KEPT_BYTES = 6 << 20;

  private final ResolvedFunction function;
  private final String requestId;
  private final @Nullable ByteTail tail;
  private final @Nullable List<Chunk> chunks;
  private int keptBytes;
  private boolean endsWithNewline = true;

  /// Starts a log.
  ///
  /// @param wantsTail whether {@link #tail} will be asked for
  CallLog(ResolvedFunction function, String requestId, boolean wantsTail, long epochMillis) {
    this.function = function;
    this.requestId = requestId;
    this.tail = wantsTail ? new ByteTail(TAIL_BYTES) : null;
    this.chunks = function.keepsUserLog() ? new ArrayList<>() : null;
    keep(Source.FAAS, start().getBytes(UTF_8), epochMillis);
  }

  /// Adds text; the buffer's own position does not change.
  void add(boolean stderr, ByteBuf text, long epochMillis) {
    if (!text.isReadable()) {
      return;
    }
    if (tail != null) {
      tail.add(text);
      endsWithNewline = text.getByte(text.writerIndex() - 1) == '\n';
    }
    if (chunks != null && keptBytes < MAX_KEPT_BYTES) {
      int size = Math.min(text.readableBytes(), MAX_KEPT_BYTES - keptBytes);
      keep(
          stderr ? Source.STDERR : Source.STDOUT,
          ByteBufUtil.getBytes(text, text.readerIndex(), size),
          epochMillis);
    }
  }

  /// The log as answers carry it: START, the last 4 KiB of output, END and REPORT. Empty when no
  /// tail was wanted.
  String tail(long durationMillis) {
    if (tail == null) {
      return "";
    }
    String output = tail.text();
    return start() + output + (endsWithNewline ? "" : "\n") + end(durationMillis);
  }

  /// Everything, for the user log; null when the function has none.
  @Nullable CallOutput output(
      String runtimeId,
      String trigger,
      long startedNanos,
      int status,
      long durationMillis,
      long epochMillis) {
    List<Chunk> all = chunks;
    if (all == null) {
      return null;
    }
    keep(Source.FAAS, end(durationMillis).getBytes(UTF_8), epochMillis);
    return new CallOutput(
        function,
        requestId,
        runtimeId,
        trigger,
        startedNanos,
        function.concurrency() > 1,
        status,
        all);
  }

  private String start() {
    return "START RequestID: " + requestId + " Version: " + function.version() + "\n";
  }

  private String end(long durationMillis) {
    // Memory: what a sandbox uses is not known per call.
    return "END RequestID: "
        + requestId
        + "\tMemory Spec Size: "
        + function.memory().mebibytes()
        + "MB\nREPORT RequestID: "
        + requestId
        + "\tDuration: "
        + GoDuration.ofMillis(durationMillis)
        + "\tBilled Duration: "
        + GoDuration.ofMillis(GoDuration.billedMillis(durationMillis))
        + "\tMax Memory Used: 0";
  }

  private void keep(Source source, byte[] text, long epochMillis) {
    List<Chunk> all = chunks;
    if (all != null) {
      Chunk chunk = new Chunk(source, text, epochMillis);
      keptBytes += chunk.cost();
      all.add(chunk);
    }
  }
}
