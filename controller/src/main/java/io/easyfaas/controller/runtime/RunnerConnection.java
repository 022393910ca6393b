package io.easyfaas.controller.runtime;

import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.wire.FrameType;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One runner, from HELLO to its end. Confined to its event loop, but for the methods of {@link
/// Runner} and those that say so.
///
/// It puts together what is done elsewhere: frames are read and cut by {@link FrameInput}, sorted
/// by {@link RunnerFrames} and written by {@link FrameWriter}; {@link RunnerStart} sees to HELLO
/// and LOAD, and {@link Handshake} to who waits for them; {@link CallFrames} speaks about calls,
/// which are kept with their deadlines by {@link CallsInFlight}; {@link SandboxOutput} says whose
/// output it is; {@link PingWatch} finds silence.
///
/// **Ends.** A runner is lost once: when the connection closes, when it breaks the protocol, or
/// when a ping stays unanswered. {@link #discard} ends it without that being told. What fails in
/// the engine ends no runner.
@SuppressWarnings("FutureReturnValueIgnored") // Closing is all that can be done.
public final class RunnerConnection implements Runner {
  private static final Logger LOG = LoggerFactory.getLogger(RunnerConnection.class);

  enum Phase {
    /// The function is not loaded.
    STARTING,
    /// Calls may be sent.
    READY,
    /// Lost or discarded.
    ENDED
  }

  private final String slot;
  private final Channel channel;
  private final EventLoop loop;
  private final FrameInput input;
  private final FrameWriter writer;
  private final Handshake handshake;
  private final CallsInFlight calls;
  private final SandboxOutput output;
  private final RunnerStart start;
  private final CallFrames callFrames;
  private final PingWatch ping;

  private Phase phase = Phase.STARTING;
  private @Nullable RunnerEvents events;
  private boolean expiryIsDue;

  /// Takes over a channel that was just handed over.
  ///
  /// @param budget what its sandbox may take of the loop
  /// @param stray gets what is printed and belongs to no call
  RunnerConnection(
      String slot, Channel channel, RunnerLoop loop, PrintBudget budget, StrayOutput stray) {
    this.slot = slot;
    this.channel = channel;
    this.loop = loop.loop;
    this.writer = new FrameWriter(channel, loop.flushes);
    this.handshake = new Handshake(slot);
    this.calls = new CallsInFlight(loop.loop, loop.nanoTime, this::expireCalls);
    this.output = new SandboxOutput(calls, stray);
    this.start = new RunnerStart(this, handshake, writer, output);
    this.callFrames = new CallFrames(writer, calls, loop.epochMillis, loop.bytes, this::ending);
    this.ping = new PingWatch(loop.nanoTime);
    RunnerFrames frames = new RunnerFrames(this, budget, start, calls, callFrames, output, ping);
    this.input = new FrameInput(slot, channel, budget, loop.bytes, frames);
    channel.pipeline().addLast(input);
  }

  /// Where the sandbox's raw output goes.
  SandboxOutput output() {
    return output;
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
  /// @param function what is loaded
  /// @param helloWait the longest wait for HELLO
  /// @param wait the longest wait for READY after that
  /// @param listener hears what becomes of the runner
  /// @throws RunnerException when the runner breaks the protocol or does not answer in time
  public LoadOutcome load(
      LoadedFunction function, Duration helloWait, Duration wait, RunnerEvents listener) {
    loop.execute(() -> {
      calls.timeout(function.timeout().toNanos());
      input.belongsTo(function.account());
      callFrames.belongTo(function.account());
      events = listener;
      start.load(function, listener);
      proceed();
    });
    handshake.awaitHello(helloWait);
    return handshake.awaitLoaded(wait);
  }

  /// What was printed so far while the function is loaded; nothing when the loop does not say in
  /// time. Any thread but the loop's; blocks at most 1 s.
  public List<Printed> printedWhileLoading() {
    Future<List<Printed>> asked =
        loop.submit(() -> {
          output.heard();
          output.readAhead();
          return output.whileLoading();
        });
    return asked.awaitUninterruptibly(1, TimeUnit.SECONDS) && asked.isSuccess()
        ? asked.getNow()
        : List.of();
  }

  /// All that has come is read.
  void readAll() {
    proceed();
    if (expiryIsDue && !input.isHeldUp()) {
      expireCalls();
    }
  }

  private void proceed() {
    try {
      start.proceed(input.isBetweenFrames());
    } catch (ProtocolException e) {
      lose(RunnerLoss.BROKE_PROTOCOL, String.valueOf(e.getMessage()));
    }
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
      if (phase == Phase.READY && !input.isHeldUp()) {
        checkPing();
      }
    });
  }

  @Override
  public int inFlight() {
    return calls.size();
  }

  /// Closes the connection without telling who keeps the runner; calls that are in flight still
  /// fail. On the loop; safe to call twice.
  void discard() {
    if (phase != Phase.ENDED) {
      List<RunnerCall> pending = calls.takeAll();
      end(new RunnerException(slot + ": sandbox is being reset"));
      ApiException why = new ApiException(ErrorCode.UNAVAILABLE, "the engine has ended the call");
      CallEnds.tell(pending, call -> call.failed(why));
    }
    output.close();
  }

  private void send(RunnerCall call) {
    try {
      trySend(call);
    } catch (RuntimeException | Error e) {
      CallEnds.fail(call, e);
    }
  }

  private void trySend(RunnerCall call) {
    if (phase == Phase.READY && callFrames.hasUnreadAnswered()) {
      lose(RunnerLoss.BROKE_PROTOCOL, "answers calls that it has not read");
    }
    if (phase != Phase.READY) {
      tellLost(RunnerLoss.EXITED, List.of(call));
      return;
    }
    output.begins(call);
    callFrames.invoke(call);
  }

  private void expireCalls() {
    expiryIsDue = input.isHeldUp(); // What was answered in time may be unread.
    if (phase != Phase.READY || expiryIsDue) {
      return;
    }
    List<RunnerCall> expired = calls.takeExpired();
    if (!expired.isEmpty()) {
      // First the runner is taken out of use, then its callers are told: who calls again at once
      // must not be given the busy runner.
      Throwable _ = tell(listener -> listener.timedOut(this));
      CallEnds.tell(expired, RunnerCall::timedOut);
    }
  }

  private void checkPing() {
    switch (ping.check(calls.size() > 0)) {
      case NOTHING -> {}
      case PING -> writer.begin(FrameType.PING, 0, 0);
      case SILENT -> lose(RunnerLoss.SILENT, "no PONG in " + PingWatch.PONG_WAIT.toSeconds() + "s");
    }
  }

  /// Where it is.
  Phase phase() {
    return phase;
  }

  /// The function is loaded.
  void ready() {
    phase = Phase.READY;
    RunnerEvents listener = events;
    if (listener != null) {
      listener.ready(this);
    }
  }

  private void ending() {
    Throwable _ = tell(listener -> listener.ending(this));
  }

  /// The connection is gone. A call that the runner has not even read is none of the function's.
  ///
  /// @param isReset whether there is something that it has not read
  void ended(String how, boolean isReset) {
    RunnerCall unread = isReset && phase == Phase.READY ? callFrames.takeUnread() : null;
    lose(RunnerLoss.EXITED, how);
    if (unread != null) {
      ApiException why =
          new ApiException(ErrorCode.UNAVAILABLE, "its runner ended before it read it");
      CallEnds.tell(List.of(unread), call -> call.failed(why));
    }
  }

  /// Ends the connection and tells who has to know.
  void lose(RunnerLoss why, String detail) {
    if (phase == Phase.ENDED) {
      return;
    }
    Regardless.all(output::heard, output::readAhead); // Its last words are the calls' in flight.
    boolean wasReady = phase == Phase.READY;
    String message = slot + ": " + detail;
    List<RunnerCall> pending = calls.takeAll();
    Regardless.all(() -> start.lost(why, detail));
    end(new RunnerException(message));
    if (wasReady) {
      LOG.info("{}; {} calls in flight", message, pending.size());
      tellLost(why, pending);
    }
  }

  /// Whatever fails, the calls are told.
  private void tellLost(RunnerLoss why, List<RunnerCall> pending) {
    Throwable failure = tell(listener -> listener.lost(this, why, pending));
    if (failure != null) {
      CallEnds.tell(pending, call -> call.failed(failure));
    }
  }

  /// Tells who keeps the runner. Throws nothing.
  ///
  /// @return what went wrong with that, or null
  private @Nullable Throwable tell(Consumer<RunnerEvents> news) {
    RunnerEvents listener = events;
    return listener == null
        ? new IllegalStateException(slot + ": a call before the function is loaded")
        : Regardless.run(() -> news.accept(listener));
  }

  private void end(RunnerException why) {
    phase = Phase.ENDED;
    Regardless.all(
        calls::close,
        input::close,
        writer::close,
        start::end,
        () -> handshake.fail(why),
        channel::close);
  }
}
