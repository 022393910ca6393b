package io.easyfaas.controller.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.wire.FrameType;
import io.easyfaas.controller.runtime.RunnerConnection.Phase;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

/// What one runner says: which frame may come when, who gets it, and what it costs the loop.
/// Confined to the runner's event loop.
final class RunnerFrames implements FrameInput.Owner {
  private final RunnerConnection runner;
  private final PrintBudget budget;
  private final RunnerStart start;
  private final CallsInFlight calls;
  private final CallFrames callFrames;
  private final SandboxOutput output;
  private final PingWatch ping;

  /// @param runner who speaks
  /// @param budget what it may take of the loop
  RunnerFrames(
      RunnerConnection runner,
      PrintBudget budget,
      RunnerStart start,
      CallsInFlight calls,
      CallFrames callFrames,
      SandboxOutput output,
      PingWatch ping) {
    this.runner = runner;
    this.budget = budget;
    this.start = start;
    this.calls = calls;
    this.callFrames = callFrames;
    this.output = output;
    this.ping = ping;
  }

  @Override
  public void heard() {
    output.heard();
  }

  @Override
  public boolean frame(byte type, byte flags, int id, ByteBuf payload) throws ProtocolException {
    ping.heard(); // Not before: a frame that never ends would keep what it has of memory.
    boolean answer = type == FrameType.RESULT || type == FrameType.CHUNK;
    if (!answer || calls.get(id) == null) {
      // Whatever is not an answer that is waited for costs the loop, also when it is empty.
      budget.spend(PrintBudget.PIECE_BYTES + payload.readableBytes());
    } else if (type == FrameType.CHUNK) {
      // Of a part the bytes are waited for, but not the frames.
      budget.spend(PrintBudget.PIECE_BYTES);
    }
    if (runner.phase() == Phase.READY) {
      callFrame(type, flags, id, payload);
    } else if (runner.phase() == Phase.STARTING && start.frame(type, flags, payload)) {
      runner.ready();
    }
    return runner.phase() != Phase.ENDED;
  }

  private void callFrame(byte type, byte flags, int id, ByteBuf payload) throws ProtocolException {
    switch (type) {
      case FrameType.RESULT -> {
        output.answers();
        callFrames.onResult(flags, id, payload);
      }
      case FrameType.CHUNK -> callFrames.onChunk(flags, id, payload);
      case FrameType.LOG -> {
        long since = budget.now();
        output.framed(flags, id, payload);
        budget.tookSince(since);
      }
      case FrameType.PONG -> ping.answered();
      default -> throw ProtocolException.notAllowed(type);
    }
  }

  @Override
  public boolean isAwaited(int id) {
    RunnerCall call = calls.get(id);
    return call != null && !call.isAbandoned();
  }

  @Override
  public boolean takesChunk(byte flags, int id, int length) throws ProtocolException {
    if (runner.phase() != Phase.READY) {
      throw ProtocolException.notAllowed(FrameType.CHUNK);
    }
    boolean isTaken = callFrames.takesChunk(flags, id, length);
    if (!isTaken) {
      budget.spend(PrintBudget.PIECE_BYTES + length);
    }
    return isTaken;
  }

  @Override
  public void refused(byte type, byte flags, int id, int length, String why)
      throws ProtocolException {
    if (type == FrameType.LOG) {
      byte[] note =
          ("CUT " + length + " bytes of output are left out: " + why + "\n").getBytes(UTF_8);
      boolean _ = frame(type, flags, id, Unpooled.wrappedBuffer(note));
    } else if (runner.phase() == Phase.READY && type == FrameType.RESULT) {
      budget.spend(PrintBudget.PIECE_BYTES);
      output.answers();
      callFrames.onRefused(flags, id, new ApiException(ErrorCode.UNAVAILABLE, why));
    } else {
      start.refused(why); // No other frame may be as large.
    }
  }

  @Override
  public void readAll() {
    runner.readAll();
  }

  @Override
  public void brokeProtocol(String how) {
    runner.lose(RunnerLoss.BROKE_PROTOCOL, how);
  }

  @Override
  public void ended(String how, boolean isReset) {
    runner.ended(how, isReset);
  }
}
