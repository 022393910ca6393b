package io.easyfaas.controller.runtime;

import io.easyfaas.common.wire.FrameType;
import io.netty.buffer.ByteBuf;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/// What a runner and its controller say about calls: INVOKE and CANCEL one way, LOG and RESULT the
/// other, see protocol.md §3. Confined to the runner's event loop.
final class CallFrames {
  private static final int INVOKE_FIXED_BYTES = 10;
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
    ByteBuf event = call.takeEvent();
    int eventBytes = event.readableBytes();
    int id = calls.add(call, eventBytes);
    long deadline = epochMillis.getAsLong() + TimeUnit.NANOSECONDS.toMillis(calls.timeoutNanos());
    writer
        .begin(FrameType.INVOKE, id, INVOKE_FIXED_BYTES + requestId.length + eventBytes)
        .writeLong(deadline)
        .writeShort(requestId.length)
        .writeBytes(requestId);
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

  /// Takes a RESULT frame.
  ///
  /// @throws ProtocolException when it answers a call that never was; one that was given up may
  ///   still be answered
  void onResult(byte flags, int id, ByteBuf payload) throws ProtocolException {
    RunnerCall call = calls.remove(id);
    if (call == null) {
      if (!calls.wasGiven(id)) {
        throw ProtocolException.notAllowed(FrameType.RESULT);
      }
      return;
    }
    if ((flags & FrameType.FLAG_ENDING) != 0) {
      ending.run(); // Before the caller is told: who calls again at once must not get this runner.
    }
    call.answered((flags & FrameType.FLAG_FAILED) != 0, payload);
  }
}
