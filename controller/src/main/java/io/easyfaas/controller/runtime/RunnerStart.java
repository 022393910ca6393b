package io.easyfaas.controller.runtime;

import io.easyfaas.common.wire.FrameType;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A runner's start, from the connection to READY: which frame may come when. Confined to the
/// runner's event loop.
///
/// Nothing counts as an answer to LOAD that was read before it was written; no code of the tenant
/// runs until then.
final class RunnerStart {
  private enum Phase {
    /// HELLO has not come.
    CONNECTED,
    /// HELLO has come; LOAD is not written.
    GREETED,
    /// LOAD is written; the function is not loaded.
    LOADING,
    /// It is over, however it ended.
    OVER
  }

  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  private record Load(byte[] payload, RunnerEvents listener, FunctionLog log) {}

  private final Runner runner;
  private final Handshake handshake;
  private final FrameWriter writer;
  private final SandboxOutput output;
  private Phase phase = Phase.CONNECTED;
  private @Nullable Load load;

  /// @param runner who starts
  /// @param handshake is told how it goes
  RunnerStart(Runner runner, Handshake handshake, FrameWriter writer, SandboxOutput output) {
    this.runner = runner;
    this.handshake = handshake;
    this.writer = writer;
    this.output = output;
  }

  /// Sets what is to be loaded. Once.
  void load(LoadedFunction function, RunnerEvents listener) {
    if (phase == Phase.OVER) {
      function.log().ended();
      return;
    }
    load = new Load(function.load(), listener, function.log());
  }

  /// Writes LOAD if it is time. Not at the end of the loop's turn but now: what the runner said
  /// before is known to be no answer.
  ///
  /// @param isBetweenFrames whether the runner has not begun to say something
  /// @throws ProtocolException when it has
  void proceed(boolean isBetweenFrames) throws ProtocolException {
    Load next = load;
    if (phase != Phase.GREETED || next == null) {
      return;
    }
    if (!isBetweenFrames) {
      throw new ProtocolException("says more than HELLO before LOAD");
    }
    load = null;
    output.loads(next.log());
    writer.begin(FrameType.LOAD, 0, next.payload().length).writeBytes(next.payload());
    writer.flushNow();
    phase = Phase.LOADING;
    next.listener().loading(runner);
  }

  /// Takes a frame.
  ///
  /// @return whether the runner is ready now
  boolean frame(byte type, byte flags, ByteBuf payload) throws ProtocolException {
    switch (phase) {
      case CONNECTED -> {
        expect(type == FrameType.HELLO, type);
        output.greeted(Handshake.read(payload));
        phase = Phase.GREETED;
        if (!handshake.greeted()) {
          throw new ProtocolException("HELLO came too late"); // Nobody waits for it any more.
        }
      }
      case GREETED -> expect(type == FrameType.PONG, type);
      case LOADING -> {
        return loadFrame(type, flags, payload);
      }
      case OVER -> throw ProtocolException.notAllowed(type);
    }
    return false;
  }

  private boolean loadFrame(byte type, byte flags, ByteBuf payload) throws ProtocolException {
    switch (type) {
      case FrameType.READY -> {
        output.readAhead();
        if (handshake.loaded(new LoadOutcome.Ready())) { // Else it comes too late.
          phase = Phase.OVER;
          output.loaded();
          return true;
        }
      }
      case FrameType.LOAD_FAILED -> {
        output.readAhead();
        byte[] error = ByteBufUtil.getBytes(payload);
        handshake.loaded(new LoadOutcome.Failed(error, output.whileLoading()));
      }
      case FrameType.LOG -> output.framed(flags, 0, payload);
      default -> expect(type == FrameType.PONG, type);
    }
    return false;
  }

  /// There is no room for a frame.
  void refused(String shortage) {
    handshake.loaded(new LoadOutcome.NoRoom(shortage));
  }

  /// The runner is lost. While it loads that is the doing of the function: the runner itself has
  /// shown by HELLO that it works.
  void lost(RunnerLoss why, String detail) {
    if (phase == Phase.LOADING) {
      List<Printed> printed = output.whileLoading();
      handshake.loaded(
          why == RunnerLoss.EXITED
              ? new LoadOutcome.Ended(printed)
              : new LoadOutcome.BrokeProtocol(detail, printed));
    }
  }

  /// It is over. Safe to call twice.
  void end() {
    phase = Phase.OVER;
    Load never = load;
    load = null;
    if (never != null) {
      never.log().ended();
    }
  }

  private static void expect(boolean allowed, byte type) throws ProtocolException {
    if (!allowed) {
      throw ProtocolException.notAllowed(type);
    }
  }
}
