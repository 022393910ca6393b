package io.easyfaas.controller.runtime;

import io.easyfaas.common.wire.FrameType;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One runner's `runner.sock` connection, from HELLO to its end: which frame may come when, and
/// what it means. Confined to its event loop, but for the methods of {@link Runner} and those that
/// say so.
///
/// It leaves to others what is not about that: cutting frames to {@link FrameReader}, writing them
/// to {@link FrameWriter}, the frames about calls to {@link CallFrames}, calls and their deadlines
/// to {@link CallsInFlight}, what the runner's start waits for to {@link Handshake}, silence to
/// {@link PingWatch}.
///
/// **Ends.** A runner is lost once: when the connection closes, when it breaks the protocol, or
/// when a ping stays unanswered. {@link #discard} ends it without that being told.
@SuppressWarnings("FutureReturnValueIgnored") // Closing is all that can be done.
public final class RunnerConnection implements Runner {
  private static final Logger LOG = LoggerFactory.getLogger(RunnerConnection.class);

  private static final String EXITED = "runner-exited";
  private static final String BROKE_PROTOCOL = "protocol-error";
  private static final String SILENT = "runner-silent";
  // What handling a frame takes, in bytes of printing that take as long.
  private static final int FRAME_COST_BYTES = 128;

  private enum Phase {
    /// Connected; HELLO has not come.
    GREETING,
    /// HELLO has come; the function is not loaded.
    LOADING,
    /// Calls may be sent.
    READY,
    /// Lost or discarded.
    ENDED
  }

  private final String slot;
  private final Channel channel;
  private final EventLoop loop;
  private final FrameReader frames;
  private final FrameWriter writer;
  private final StrayOutput stray;
  private final PrintBudget prints;
  private final Handshake handshake;
  private final CallsInFlight calls;
  private final CallFrames callFrames;
  private final PingWatch ping;

  private Phase phase = Phase.GREETING;
  private @Nullable RunnerEvents events;
  private byte @Nullable [] awaitingHello; // LOAD's payload

  /// Takes over a channel that was just accepted.
  ///
  /// @param stray gets what is printed and belongs to no call
  RunnerConnection(
      String slot,
      Channel channel,
      FlushQueue flushes,
      LongSupplier nanoTime,
      LongSupplier epochMillis,
      StrayOutput stray) {
    this.slot = slot;
    this.channel = channel;
    this.loop = channel.eventLoop();
    this.stray = stray;
    this.frames = new FrameReader(channel.alloc());
    this.writer = new FrameWriter(channel, flushes);
    this.prints = new PrintBudget(channel, nanoTime);
    this.handshake = new Handshake(slot);
    this.calls = new CallsInFlight(loop, nanoTime, this::expireCalls);
    this.callFrames = new CallFrames(writer, calls, stray, epochMillis, this::ending);
    this.ping = new PingWatch(nanoTime);
    channel.pipeline().addLast(new Inbound());
  }

  /// Waits for HELLO. Any thread; blocks at most `wait`.
  ///
  /// @throws RunnerException when the runner does not greet in time
  public void awaitHello(Duration wait) {
    handshake.awaitHello(wait);
  }

  /// Has a function loaded as soon as HELLO has come. Any thread but the loop's. Called once.
  ///
  /// The listener hears of READY on the loop, before this returns: the first calls need not wait
  /// for another thread.
  ///
  /// @param load payload of the LOAD frame
  /// @param timeout the time one call may take
  /// @param helloWait the longest wait for HELLO
  /// @param wait the longest wait for READY after that
  /// @param listener hears what becomes of the runner
  /// @throws RunnerException when the runner breaks the protocol or does not answer in time
  public LoadOutcome load(
      byte[] load, Duration timeout, Duration helloWait, Duration wait, RunnerEvents listener) {
    loop.execute(() -> {
      calls.timeout(timeout.toNanos());
      events = listener;
      awaitingHello = load;
      if (phase == Phase.LOADING) {
        sendLoad(load, listener);
      }
    });
    handshake.awaitHello(helloWait);
    return handshake.awaitLoaded(wait);
  }

  private void sendLoad(byte[] load, RunnerEvents listener) {
    awaitingHello = null;
    writer.begin(FrameType.LOAD, 0, load.length).writeBytes(load);
    listener.loading(this);
  }

  /// Runs something on the loop when the connection is closed, however that comes about; at once
  /// when it is already. Any thread.
  public void whenClosed(Runnable action) {
    channel.closeFuture().addListener(_ -> action.run());
  }

  @Override
  public void invoke(RunnerCall call) {
    if (loop.inEventLoop()) {
      send(call);
    } else {
      loop.execute(() -> send(call));
    }
  }

  @Override
  public void cancel(RunnerCall call) {
    loop.execute(() -> callFrames.cancel(call));
  }

  @Override
  public void taken(RunnerCall call, int bytes) {
    if (loop.inEventLoop()) {
      callFrames.taken(call, bytes);
    } else {
      loop.execute(() -> callFrames.taken(call, bytes));
    }
  }

  @Override
  public void check() {
    loop.execute(() -> {
      expireCalls();
      if (phase == Phase.READY) {
        checkPing();
      }
    });
  }

  @Override
  public int inFlight() {
    return calls.size();
  }

  /// The only call in flight, or null when there are none or several.
  @Nullable RunnerCall onlyCall() {
    return calls.only();
  }

  /// Closes the connection without telling anybody. Any thread; safe to call twice.
  void discard() {
    loop.execute(() -> {
      if (phase != Phase.ENDED) {
        end(new RunnerException(slot + ": sandbox is being reset"));
      }
    });
  }

  private void send(RunnerCall call) {
    if (phase == Phase.READY && callFrames.hasUnreadAnswered()) {
      lose(BROKE_PROTOCOL, "answers calls that it has not read");
    }
    if (phase != Phase.READY) {
      call.takeEvent().release();
      RunnerEvents listener = events;
      if (listener == null) {
        throw new IllegalStateException(slot + ": a call before the function is loaded");
      }
      listener.lost(this, EXITED, List.of(call));
      return;
    }
    callFrames.invoke(call);
  }

  private void expireCalls() {
    if (phase != Phase.READY) {
      return;
    }
    List<RunnerCall> expired = calls.takeExpired();
    RunnerEvents listener = events;
    if (!expired.isEmpty() && listener != null) {
      // First the runner is taken out of use, then its callers are told: who calls again at once
      // must not be given the busy runner.
      listener.timedOut(this);
      expired.forEach(RunnerCall::timedOut);
    }
  }

  private void checkPing() {
    switch (ping.check(calls.size() > 0)) {
      case NOTHING -> {}
      case PING -> writer.begin(FrameType.PING, 0, 0);
      case SILENT -> lose(SILENT, "no PONG in " + PingWatch.PONG_WAIT.toSeconds() + "s");
    }
  }

  private boolean onFrame(byte type, byte flags, int id, ByteBuf payload) throws ProtocolException {
    boolean answer = type == FrameType.RESULT || type == FrameType.CHUNK;
    if (!answer || calls.get(id) == null) {
      // Whatever is not an answer that is waited for costs the loop, also when it is empty.
      prints.spend(FRAME_COST_BYTES + payload.readableBytes());
    } else if (type == FrameType.CHUNK) {
      prints.spend(FRAME_COST_BYTES); // Of a part the bytes are waited for, but not the frames.
    }
    switch (phase) {
      case GREETING -> onGreeting(type, payload);
      case LOADING -> onLoadFrame(type, payload);
      case READY -> onCallFrame(type, flags, id, payload);
      case ENDED -> {
        return false;
      }
    }
    return true;
  }

  private void onGreeting(byte type, ByteBuf hello) throws ProtocolException {
    expect(type == FrameType.HELLO, type);
    Handshake.check(hello);
    phase = Phase.LOADING;
    if (!handshake.greeted()) {
      throw new ProtocolException("HELLO came too late"); // Nobody waits for it any more.
    }
    byte[] load = awaitingHello;
    RunnerEvents listener = events;
    if (load != null && listener != null) {
      sendLoad(load, listener);
    }
  }

  private void onLoadFrame(byte type, ByteBuf payload) throws ProtocolException {
    switch (type) {
      case FrameType.READY -> {
        RunnerEvents listener = events;
        if (listener == null) {
          throw new ProtocolException("READY before LOAD");
        }
        if (handshake.loaded(new LoadOutcome.Ready())) { // Else it comes too late.
          phase = Phase.READY;
          listener.ready(this);
        }
      }
      case FrameType.LOAD_FAILED ->
          handshake.loaded(new LoadOutcome.Failed(ByteBufUtil.getBytes(payload)));
      case FrameType.LOG -> stray.add(payload);
      default -> expect(type == FrameType.PONG, type);
    }
  }

  private void onCallFrame(byte type, byte flags, int id, ByteBuf payload)
      throws ProtocolException {
    switch (type) {
      case FrameType.RESULT -> callFrames.onResult(flags, id, payload);
      case FrameType.CHUNK -> callFrames.onChunk(flags, id, payload);
      case FrameType.LOG -> callFrames.onLog(flags, id, payload);
      case FrameType.PONG -> ping.answered();
      default -> throw ProtocolException.notAllowed(type);
    }
  }

  private void ending() {
    RunnerEvents listener = events;
    if (listener != null) {
      listener.ending(this);
    }
  }

  private static void expect(boolean allowed, byte type) throws ProtocolException {
    if (!allowed) {
      throw ProtocolException.notAllowed(type);
    }
  }

  /// Ends the connection and tells who has to know.
  private void lose(String reason, String detail) {
    if (phase == Phase.ENDED) {
      return;
    }
    boolean wasReady = phase == Phase.READY;
    if (phase == Phase.LOADING && events != null && reason.equals(EXITED)) {
      handshake.loaded(new LoadOutcome.Ended());
    }
    String message = slot + ": " + detail;
    List<RunnerCall> pending = calls.takeAll();
    end(new RunnerException(message));
    RunnerEvents listener = events;
    if (wasReady && listener != null) {
      LOG.info("{}; {} calls in flight", message, pending.size());
      listener.lost(this, reason, pending);
    }
  }

  private void end(RunnerException why) {
    phase = Phase.ENDED;
    calls.close();
    frames.close();
    writer.close();
    handshake.fail(why);
    channel.close();
  }

  private final class Inbound extends ChannelInboundHandlerAdapter {
    private final FrameReader.Sink sink = RunnerConnection.this::onFrame;

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
      ByteBuf bytes = (ByteBuf) message;
      ping.heard();
      try {
        frames.read(bytes, sink);
      } catch (ProtocolException e) {
        lose(BROKE_PROTOCOL, String.valueOf(e.getMessage()));
      } finally {
        bytes.release();
      }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
      lose(EXITED, "runner ended");
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
      if (!(cause instanceof IOException)) {
        LOG.error("{}: runner connection failed", slot, cause);
      }
      lose(EXITED, String.valueOf(cause.getMessage()));
    }
  }
}
