package io.easyfaas.controller.runtime;

import io.easyfaas.common.wire.FrameType;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// What a runner and its controller say about calls: INVOKE, CREDIT and CANCEL one way, LOG, CHUNK
/// and RESULT the other, see protocol.md §3. Confined to the runner's event loop.
final class CallFrames {
  private static final int INVOKE_FIXED_BYTES = 12;
  // Unsent bytes beyond those of calls in flight that are no reason for suspicion.
  private static final int UNREAD_SLACK_BYTES = 1 << 20;

  private final FrameWriter writer;
  private final CallsInFlight calls;
  private final StrayOutput stray;
  private final LongSupplier epochMillis;
  private final Runnable ending;

  /// @param stray gets what is printed and belongs to no call
  /// @param ending is run when the runner says that it ends
  CallFrames(
      FrameWriter writer,
      CallsInFlight calls,
      StrayOutput stray,
      LongSupplier epochMillis,
      Runnable ending) {
    this.writer = writer;
    this.calls = calls;
    this.stray = stray;
    this.epochMillis = epochMillis;
    this.ending = ending;
  }

  /// Sends a call, whose time runs from now on.
  void invoke(RunnerCall call) {
    byte[] requestId = call.requestId();
    byte[] headers = call.headers();
    ByteBuf event = call.takeEvent();
    int eventBytes = event.readableBytes();
    int id = calls.add(call, eventBytes);
    long deadline = epochMillis.getAsLong() + TimeUnit.NANOSECONDS.toMillis(calls.timeoutNanos());
    int payloadBytes = INVOKE_FIXED_BYTES + requestId.length + headers.length + eventBytes;
    writer
        .begin(FrameType.INVOKE, call.takesParts() ? FrameType.FLAG_PARTS : 0, id, payloadBytes)
        .writeLong(deadline)
        .writeInt(requestId.length << 16 | headers.length)
        .writeBytes(requestId)
        .writeBytes(headers);
    writer.append(event);
  }

  /// Tells the runner that nobody waits for a call any more. Nothing is sent for one that is not in
  /// flight.
  void cancel(RunnerCall call) {
    int id = calls.idOf(call);
    if (id != 0) {
      writer.begin(FrameType.CANCEL, id, 0);
    }
  }

  /// Lets more of an answer come. Nothing is sent for one that is in flight no more.
  void taken(RunnerCall call, int bytes) {
    int id = calls.idOf(call);
    AnswerParts parts = calls.parts(id);
    int credit = parts == null ? 0 : parts.taken(bytes);
    if (credit > 0) {
      writer.begin(FrameType.CREDIT, id, Integer.BYTES).writeInt(credit);
    }
  }

  /// Whether more is unsent than the calls in flight account for: then the runner has answered
  /// calls whose events it never read, to have them pile up here.
  boolean hasUnreadAnswered() {
    long unsent = writer.unsentBytes();
    return unsent > UNREAD_SLACK_BYTES && unsent > UNREAD_SLACK_BYTES + calls.eventBytes();
  }

  /// Takes a LOG frame.
  void onLog(byte flags, int id, ByteBuf text) {
    RunnerCall call = calls.get(id);
    if (call != null) {
      call.logged((flags & FrameType.FLAG_STDERR) != 0, text);
    } else {
      stray.add(text);
    }
  }

  /// Takes a CHUNK frame.
  ///
  /// @throws ProtocolException when the call is not in flight or may not be answered so, or the
  ///   runner has no credit
  void onChunk(byte flags, int id, ByteBuf payload) throws ProtocolException {
    RunnerCall call = inFlight(FrameType.CHUNK, id);
    if (call == null) {
      return;
    }
    boolean head = (flags & FrameType.FLAG_HEAD) != 0;
    AnswerParts parts = calls.parts(id);
    if (head
        ? parts != null || payload.readableBytes() > FrameType.MAX_HEAD_BYTES
        : !payload.isReadable()) {
      throw new ProtocolException(head ? "a head that is late or too long" : "an empty CHUNK");
    }
    if (parts == null) {
      if (!call.takesParts()) {
        throw new ProtocolException("CHUNK for a call that takes whole answers only");
      }
      parts = calls.beginParts(id);
      call.began(head ? payload : Unpooled.EMPTY_BUFFER);
    }
    if (!head) {
      parts.came(payload.readableBytes());
      call.part(payload);
    }
  }

  /// Takes a RESULT frame.
  ///
  /// @throws ProtocolException when the call is not in flight, or the end does not fit what came
  void onResult(byte flags, int id, ByteBuf payload) throws ProtocolException {
    RunnerCall call = inFlight(FrameType.RESULT, id);
    if (call == null) {
      return;
    }
    boolean failed = (flags & FrameType.FLAG_FAILED) != 0;
    boolean last = (flags & FrameType.FLAG_LAST) != 0;
    if (last != (calls.parts(id) != null) || (last && !failed && payload.isReadable())) {
      throw new ProtocolException("RESULT that does not fit the parts before it");
    }
    calls.remove(id);
    if ((flags & FrameType.FLAG_ENDING) != 0) {
      ending.run(); // Before the caller is told: who calls again at once must not get this runner.
    }
    call.answered(failed, payload);
  }

  /// The call that a frame is about, or null for one that was given up.
  private @Nullable RunnerCall inFlight(byte type, int id) throws ProtocolException {
    RunnerCall call = calls.get(id);
    if (call == null && !calls.wasGivenUp(id)) {
      throw ProtocolException.notAllowed(type);
    }
    return call;
  }
}
