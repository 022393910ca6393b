package io.easyfaas.controller.engine;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.budget.Reservation;
import io.easyfaas.controller.registry.ResolvedFunction;
import io.easyfaas.controller.runtime.ByteTail;
import io.easyfaas.controller.userlog.CallOutput;
import io.easyfaas.controller.userlog.Transcript;
import io.easyfaas.controller.userlog.Transcript.Source;
import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/// What one call printed, as far as anybody wants it: the tail for the answer, all of it for the
/// user log. Confined to the runner's event loop until the call has ended.
final class CallLog {
  private static final int TAIL_BYTES = 4096;
  private static final int MAX_KEPT_BYTES = 6 << 20;

  private final ResolvedFunction function;
  private final String requestId;
  private final @Nullable ByteTail tail;
  private final @Nullable Transcript transcript;
  private final Reservation room;
  private long reserved = ByteBudget.FREE_BYTES;
  private boolean isFull;
  private boolean endsWithNewline = true;

  /// Starts a log.
  ///
  /// @param wantsTail whether {@link #tail} will be asked for
  /// @param room opened for this call, nothing reserved yet
  CallLog(
      ResolvedFunction function,
      String requestId,
      boolean wantsTail,
      long epochMillis,
      Reservation room) {
    this.room = room;
    this.function = function;
    this.requestId = requestId;
    this.tail = wantsTail ? new ByteTail(TAIL_BYTES) : null;
    this.transcript = function.keepsUserLog() ? new Transcript(MAX_KEPT_BYTES) : null;
    if (transcript != null) {
      transcript.add(Source.FAAS, ByteBuffer.wrap(start().getBytes(UTF_8)), epochMillis);
    }
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
    if (transcript == null) {
      return;
    }
    if (hasRoom(transcript, text.readableBytes())) {
      transcript.add(stderr ? Source.STDERR : Source.STDOUT, text.nioBuffer(), epochMillis);
    } else {
      transcript.leaveOut(text.readableBytes());
    }
  }

  /// Whether the transcript may grow. It doubles when it does, so as much again as it has is
  /// reserved before.
  private boolean hasRoom(Transcript kept, int bytes) {
    long needed = 2L * kept.memoryBytes() + bytes;
    if (needed <= reserved) {
      return true;
    }
    if (isFull || !room.grow(needed - reserved)) {
      isFull = true;
      return false;
    }
    reserved = needed;
    return true;
  }

  /// Gives back the memory it has reserved. The transcript is the user log's to count from now on.
  void close() {
    room.close();
  }

  /// The log as answers carry it: START, how much is left out if anything is, the last 4 KiB of
  /// output, END and REPORT. Empty when no tail was wanted.
  String tail(long durationMillis) {
    if (tail == null) {
      return "";
    }
    return start()
        + leftOut(tail.leftOut())
        + tail.text()
        + (endsWithNewline ? "" : "\n")
        + end(durationMillis);
  }

  /// Everything, for the user log; null when the function has none.
  @Nullable CallOutput output(
      String runtimeId,
      String trigger,
      long startedNanos,
      int status,
      long durationMillis,
      long epochMillis) {
    Transcript all = transcript;
    if (all == null) {
      return null;
    }
    all.add(Source.FAAS, ByteBuffer.wrap(end(durationMillis).getBytes(UTF_8)), epochMillis);
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

  private static String leftOut(long bytes) {
    return bytes == 0 ? "" : "CUT " + bytes + " bytes of output before this are left out\n";
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
}
