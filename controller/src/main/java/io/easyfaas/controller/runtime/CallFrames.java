package io.easyfaas.controller.runtime;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.budget.ByteKind;
import io.easyfaas.common.invoke.AnswerHead;
import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.wire.FrameType;
import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What a runner and its controller say about calls: INVOKE, CREDIT and CANCEL one way, LOG, CHUNK
/// and RESULT the other, see protocol.md §3. Confined to the runner's event loop.
final class CallFrames {
  private static final Logger LOG = LoggerFactory.getLogger(CallFrames.class);
  private static final int INVOKE_FIXED_BYTES = 12;
  // Unsent bytes beyond those of calls in flight that are no reason for suspicion.
  private static final int UNREAD_SLACK_BYTES = 1 << 20;

  private final FrameWriter writer;
  private final CallsInFlight calls;
  private final LongSupplier epochMillis;
  private final ByteBudget bytes;
  private final Runnable ending;
  private String account = "";

  /// @param bytes the account that parts of answers are in
  /// @param ending is run when the runner says that it ends; throws nothing
  CallFrames(
      FrameWriter writer,
      CallsInFlight calls,
      LongSupplier epochMillis,
      ByteBudget bytes,
      Runnable ending) {
    this.writer = writer;
    this.calls = calls;
    this.epochMillis = epochMillis;
    this.bytes = bytes;
    this.ending = ending;
  }

  /// Whose calls they are from now on.
  void belongTo(String owner) {
    account = owner;
  }

  /// Sends a call, whose time runs from now on. A call that cannot be sent fails.
  void invoke(RunnerCall call) {
    ByteBuf event = call.takeEvent();
    int id = 0;
    try {
      id = calls.add(call, event.readableBytes());
      begin(id, call, event.readableBytes());
    } catch (RuntimeException | Error e) { // Before anything was written.
      event.release();
      calls.remove(id);
      CallEnds.fail(call, e);
      return;
    }
    writer.append(event);
    if (call.isAbandoned()) {
      cancel(call); // Who left meanwhile on another thread was told before the call was there.
    }
  }

  private void begin(int id, RunnerCall call, int eventBytes) {
    byte[] requestId = call.requestId();
    byte[] headers = call.headers();
    long deadline = epochMillis.getAsLong() + TimeUnit.NANOSECONDS.toMillis(calls.timeoutNanos());
    int payloadBytes = INVOKE_FIXED_BYTES + requestId.length + headers.length + eventBytes;
    int flags = call.takesParts() ? FrameType.FLAG_PARTS : 0;
    writer
        .begin(FrameType.INVOKE, flags, id, payloadBytes, eventBytes)
        .writeLong(deadline)
        .writeInt(requestId.length << 16 | headers.length)
        .writeBytes(requestId)
        .writeBytes(headers);
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
    if (parts == null || parts.failure() != null) {
      return;
    }
    credit(id, parts.taken(bytes));
    try {
      handOn(call, parts.next());
    } catch (RuntimeException | Error e) {
      giveUp(id, call, parts, e);
    }
  }

  /// Whether more is unsent than the calls in flight account for: then the runner has answered
  /// calls whose events it never read, to have them pile up here.
  boolean hasUnreadAnswered() {
    long unsent = writer.unsentBytes();
    return unsent > UNREAD_SLACK_BYTES && unsent > UNREAD_SLACK_BYTES + calls.eventBytes();
  }

  /// Takes the call out of flight that a runner has not read which has ended with something unread:
  /// the only one, if nothing was sent after it.
  @Nullable RunnerCall takeUnread() {
    return writer.lastType() == FrameType.INVOKE ? calls.takeOnlyIfLast() : null;
  }

  /// Whether a CHUNK frame is of a call that is in flight still.
  ///
  /// @param length of its payload, in bytes
  /// @throws ProtocolException when the call never was in flight or may not be answered so, or the
  ///   runner has no credit
  boolean takesChunk(byte flags, int id, int length) throws ProtocolException {
    RunnerCall call = inFlight(FrameType.CHUNK, id);
    if (call == null) {
      return false;
    }
    boolean head = (flags & FrameType.FLAG_HEAD) != 0;
    AnswerParts parts = calls.parts(id);
    if (head ? parts != null || length > FrameType.MAX_HEAD_BYTES : length == 0) {
      throw new ProtocolException(head ? "a head that is late or too long" : "an empty CHUNK");
    }
    if (parts == null && !call.takesParts()) {
      throw new ProtocolException("CHUNK for a call that takes whole answers only");
    }
    int credit = parts == null ? FrameType.FIRST_CREDIT_BYTES : parts.credit();
    if (!head && length > credit) {
      throw new ProtocolException(
          "CHUNK of " + length + " bytes (expected: at most " + credit + ")");
    }
    return true;
  }

  /// Takes a CHUNK frame.
  ///
  /// @throws ProtocolException as {@link #takesChunk}, and at a head that cannot be read
  void onChunk(byte flags, int id, ByteBuf payload) throws ProtocolException {
    RunnerCall call = calls.get(id);
    if (!takesChunk(flags, id, payload.readableBytes()) || call == null) {
      return;
    }
    boolean head = (flags & FrameType.FLAG_HEAD) != 0;
    AnswerParts parts = calls.parts(id);
    boolean begins = parts == null;
    AnswerHead beginning = head ? StreamHead.read(payload) : AnswerHead.NONE;
    if (parts == null) {
      parts = new AnswerParts(writer.allocator(), () -> bytes.open(ByteKind.ANSWER, account));
      calls.beginParts(id, parts);
    }
    if (!head) {
      parts.came(payload.readableBytes());
    }
    if (parts.failure() != null) {
      credit(id, parts.dropped(payload.readableBytes()));
      return;
    }
    try {
      if (begins) {
        call.began(beginning);
      }
      if (!head) {
        handOn(call, parts.goesOn(payload));
      }
    } catch (RuntimeException | Error e) {
      giveUp(id, call, parts, e);
    }
  }

  private static void handOn(RunnerCall call, @Nullable ByteBuf part) {
    if (part != null) {
      try {
        call.part(part);
      } finally {
        part.release();
      }
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
    AnswerParts parts = calls.parts(id);
    if (last != (parts != null) || (last && !failed && payload.isReadable())) {
      throw new ProtocolException("RESULT that does not fit the parts before it");
    }
    ByteBuf rest = parts == null ? null : parts.last();
    takeOut(flags, id);
    try {
      handOn(call, rest);
      answer(call, failed, payload, parts);
    } catch (RuntimeException | Error e) {
      CallEnds.fail(call, e);
    }
  }

  /// Takes a RESULT frame whose payload the engine has no room for. The runner has done its part;
  /// only this call fails.
  ///
  /// @throws ProtocolException when the call is not in flight
  void onRefused(byte flags, int id, ApiException why) throws ProtocolException {
    RunnerCall call = inFlight(FrameType.RESULT, id);
    if (call == null) {
      return;
    }
    takeOut(flags, id);
    CallEnds.tell(List.of(call), refused -> refused.failed(why));
  }

  /// Takes out a call that was answered, and has it known when the runner ends with it. Before the
  /// caller is told: who calls again at once must not get this runner.
  private void takeOut(byte flags, int id) {
    calls.remove(id);
    if ((flags & FrameType.FLAG_ENDING) != 0) {
      ending.run();
    }
  }

  private static void answer(
      RunnerCall call, boolean failed, ByteBuf payload, @Nullable AnswerParts parts) {
    Throwable failure = parts == null ? null : parts.failure();
    if (failure != null) {
      call.failed(failure);
    } else {
      call.answered(failed, payload);
    }
  }

  /// The engine cannot take the parts of an answer. The runner may go on with it, to nobody, until
  /// it ends: only then the call is over.
  private void giveUp(int id, RunnerCall call, AnswerParts parts, Throwable cause) {
    if (cause instanceof ApiException refusal && refusal.code() == ErrorCode.UNAVAILABLE) {
      LOG.debug("call {}: {}", new String(call.requestId(), US_ASCII), cause.getMessage());
    } else {
      LOG.error("call {} failed in the engine", new String(call.requestId(), US_ASCII), cause);
    }
    cancel(call);
    credit(id, parts.giveUp(cause));
  }

  private void credit(int id, int bytes) {
    if (bytes > 0) {
      writer.begin(FrameType.CREDIT, id, Integer.BYTES).writeInt(bytes);
    }
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
