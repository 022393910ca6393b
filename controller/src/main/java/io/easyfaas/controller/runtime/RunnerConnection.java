package io.easyfaas.controller.runtime;

import io.easyfaas.common.wire.FrameType;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.EventLoop;
import io.netty.util.collection.IntObjectHashMap;
import io.netty.util.concurrent.ScheduledFuture;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One runner's `runner.sock` connection, from HELLO to its end. Confined to its event loop, but
/// for the methods of {@link Runner} and those that say so.
///
/// **Writing.** Frames of one turn of the loop are put together in one buffer and sent by one
/// system call, see {@link FlushQueue}. Only large events travel as buffers of their own.
///
/// **Deadlines.** All calls of a connection belong to one function and have its timeout, so the
/// call sent first is due first and one timer per connection is enough. It is armed by the first
/// call, and when it goes off it looks through the calls in flight (at most the function's
/// concurrency) and is armed again for the next: a call that ends in time costs no timer at all.
///
/// **Ends.** A runner is lost once: when the connection closes, when it breaks the protocol, or
/// when a ping stays unanswered. {@link #discard} ends it without that being told.
@SuppressWarnings("FutureReturnValueIgnored") // A failed write closes the channel.
public final class RunnerConnection implements Runner, FlushQueue.Source {
  private static final Logger LOG = LoggerFactory.getLogger(RunnerConnection.class);

  private static final String EXITED = "runner-exited";
  private static final int INVOKE_FIXED_BYTES = 10;
  private static final int FIRST_BATCH_BYTES = 4 * 1024;
  private static final int MAX_BATCH_BYTES = 64 * 1024;
  // What handling a frame takes, in bytes of printing that take as long.
  private static final int FRAME_COST_BYTES = 128;
  // Unsent bytes beyond those of calls in flight that are no reason for suspicion.
  private static final int UNREAD_SLACK_BYTES = 1 << 20;
  // Copying so much is cheaper than one more buffer in the system call.
  private static final int MAX_COPIED_EVENT_BYTES = 8 * 1024;
  private static final long PING_IDLE_NANOS = Duration.ofSeconds(10).toNanos();
  private static final long PONG_WAIT_NANOS = Duration.ofSeconds(5).toNanos();

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

  private record Pending(RunnerCall call, long deadline, int bytes) {}

  private final String slot;
  private final Channel channel;
  private final EventLoop loop;
  private final FlushQueue flushes;
  private final LongSupplier nanoTime;
  private final LongSupplier epochMillis;
  private final FrameReader frames;
  private final StrayOutput stray;
  private final PrintBudget prints;
  private final CompletableFuture<RunnerConnection> greeted = new CompletableFuture<>();
  private final CompletableFuture<LoadOutcome> loaded = new CompletableFuture<>();
  private final IntObjectHashMap<Pending> calls = new IntObjectHashMap<>();

  private Phase phase = Phase.GREETING;
  private @Nullable RunnerEvents events;
  private byte @Nullable [] awaitingHello; // LOAD's payload
  private @Nullable ByteBuf batch;
  private boolean flushQueued;
  private int lastId;
  private long timeoutNanos;
  private @Nullable ScheduledFuture<?> timer;
  private long lastHeard;
  private long pingedAt;
  private boolean pinged;
  private volatile int inFlight;

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
    this.flushes = flushes;
    this.nanoTime = nanoTime;
    this.epochMillis = epochMillis;
    this.stray = stray;
    this.frames = new FrameReader(channel.alloc());
    this.prints = new PrintBudget(channel, nanoTime);
    this.lastHeard = nanoTime.getAsLong();
    channel.pipeline().addLast(new Inbound());
  }

  /// Waits for HELLO. Any thread; blocks at most `wait`.
  ///
  /// @throws RunnerException when the runner does not greet in time
  public void awaitHello(Duration wait) {
    await(greeted, wait, "HELLO");
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
      timeoutNanos = timeout.toNanos();
      events = listener;
      awaitingHello = load;
      if (phase == Phase.LOADING) {
        sendLoad(load, listener);
      }
    });
    await(greeted, helloWait, "HELLO");
    return await(loaded, wait, "READY");
  }

  private void sendLoad(byte[] load, RunnerEvents listener) {
    awaitingHello = null;
    header(FrameType.LOAD, 0, load.length).writeBytes(load);
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
  @SuppressWarnings("ReferenceEquality") // This very call.
  public void cancel(RunnerCall call) {
    loop.execute(() -> {
      for (var entry : calls.entries()) {
        if (entry.value().call() == call) {
          header(FrameType.CANCEL, entry.key(), 0);
          return;
        }
      }
    });
  }

  @Override
  public void check() {
    loop.execute(() -> {
      if (phase == Phase.READY) {
        expireCalls();
      }
      if (phase == Phase.READY) {
        checkPing();
      }
    });
  }

  @Override
  public int inFlight() {
    return inFlight;
  }

  /// When the runner was last heard of, by the injected clock. Confined to the loop.
  long lastHeard() {
    return lastHeard;
  }

  /// The only call in flight, or null when there are none or several.
  @Nullable RunnerCall onlyCall() {
    return calls.size() == 1 ? calls.values().iterator().next().call() : null;
  }

  /// Closes the connection without telling anybody. Any thread; safe to call twice.
  void discard() {
    loop.execute(() -> {
      if (phase != Phase.ENDED) {
        end(new RunnerException(slot + ": sandbox is being reset"));
      }
    });
  }

  @Override
  public void flush() {
    flushQueued = false;
    ByteBuf written = batch;
    batch = null;
    if (written != null) {
      channel.write(written, channel.voidPromise());
    }
    channel.flush();
  }

  private void send(RunnerCall call) {
    if (phase == Phase.READY && hasUnreadAnswered()) {
      lose("protocol-error", slot + ": answers calls that it has not read");
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
    int id = nextId();
    long deadline = nanoTime.getAsLong() + timeoutNanos;
    byte[] requestId = call.requestId();
    ByteBuf event = call.takeEvent();
    int eventBytes = event.readableBytes();
    calls.put(id, new Pending(call, deadline, eventBytes));
    inFlight = calls.size();
    ByteBuf frame =
        header(FrameType.INVOKE, id, INVOKE_FIXED_BYTES + requestId.length + eventBytes);
    frame
        .writeLong(epochMillis.getAsLong() + TimeUnit.NANOSECONDS.toMillis(timeoutNanos))
        .writeShort(requestId.length)
        .writeBytes(requestId);
    if (eventBytes <= MAX_COPIED_EVENT_BYTES) {
      frame.writeBytes(event, event.readerIndex(), eventBytes);
      event.release();
    } else {
      // The batch so far goes first; the event follows as it came.
      batch = null;
      channel.write(frame, channel.voidPromise());
      channel.write(event, channel.voidPromise());
    }
    if (timer == null) {
      armTimer(timeoutNanos);
    }
  }

  /// Whether more is unsent than the calls in flight account for: then the runner has answered
  /// calls whose events it never read, to have them pile up here.
  private boolean hasUnreadAnswered() {
    ChannelOutboundBuffer unsent = channel.unsafe().outboundBuffer();
    if (unsent == null || unsent.totalPendingWriteBytes() <= UNREAD_SLACK_BYTES) {
      return false;
    }
    long accounted = UNREAD_SLACK_BYTES;
    for (Pending pending : calls.values()) {
      accounted += pending.bytes();
    }
    return unsent.totalPendingWriteBytes() > accounted;
  }

  /// Ids are never reused while their call may still be talked about: they count up, and start
  /// again at 1 after two thousand million calls.
  private int nextId() {
    do {
      lastId = lastId == Integer.MAX_VALUE ? 1 : lastId + 1;
    } while (calls.containsKey(lastId));
    return lastId;
  }

  /// Begins a frame in this turn's batch; the caller writes exactly `payloadBytes` after it.
  private ByteBuf header(byte type, int id, int payloadBytes) {
    ByteBuf open = batch;
    if (open != null && open.readableBytes() > MAX_BATCH_BYTES) {
      channel.write(open, channel.voidPromise());
      open = null;
    }
    if (open == null) {
      open = channel.alloc().directBuffer(FIRST_BATCH_BYTES);
      batch = open;
    }
    if (!flushQueued) {
      flushQueued = true;
      flushes.add(this);
    }
    return open.writeInt(FrameType.COUNTED_HEADER_BYTES + payloadBytes)
        .writeInt(type << 24)
        .writeInt(id);
  }

  private void armTimer(long delayNanos) {
    timer = loop.schedule(this::onTimer, delayNanos, TimeUnit.NANOSECONDS);
  }

  private void onTimer() {
    timer = null;
    if (phase == Phase.READY) {
      expireCalls();
    }
  }

  private void expireCalls() {
    long now = nanoTime.getAsLong();
    long next = Long.MAX_VALUE;
    List<RunnerCall> expired = new ArrayList<>();
    for (var entries = calls.entries().iterator(); entries.hasNext(); ) {
      Pending pending = entries.next().value();
      long left = pending.deadline() - now;
      if (left <= 0) {
        expired.add(pending.call());
        entries.remove();
      } else {
        next = Math.min(next, left);
      }
    }
    inFlight = calls.size();
    if (next != Long.MAX_VALUE && timer == null) {
      armTimer(next);
    }
    RunnerEvents listener = events;
    if (!expired.isEmpty() && listener != null) {
      // First the runner is taken out of use, then its callers are told: who calls again at once
      // must not be given the busy runner.
      listener.timedOut(this);
      expired.forEach(RunnerCall::timedOut);
    }
  }

  private void checkPing() {
    long now = nanoTime.getAsLong();
    if (!calls.isEmpty()) {
      // A call may keep the runner's only thread; its deadline watches over it.
      pinged = false;
    } else if (pinged) {
      if (now - pingedAt >= PONG_WAIT_NANOS) {
        lose("runner-silent", slot + ": no PONG in " + PONG_WAIT_NANOS / 1_000_000_000 + "s");
      }
    } else if (now - lastHeard >= PING_IDLE_NANOS) {
      pinged = true;
      pingedAt = now;
      header(FrameType.PING, 0, 0);
    }
  }

  private boolean onFrame(byte type, byte flags, int id, ByteBuf payload) throws ProtocolException {
    if (type != FrameType.RESULT || !calls.containsKey(id)) {
      // Whatever is not an answer that is waited for costs the loop, also when it is empty.
      prints.spend(FRAME_COST_BYTES + payload.readableBytes());
    }
    switch (phase) {
      case GREETING -> {
        expect(type == FrameType.HELLO, type);
        phase = Phase.LOADING;
        if (!greeted.complete(this)) {
          throw new ProtocolException("HELLO came too late"); // Nobody waits for it any more.
        }
        byte[] load = awaitingHello;
        RunnerEvents listener = events;
        if (load != null && listener != null) {
          sendLoad(load, listener);
        }
      }
      case LOADING -> {
        switch (type) {
          case FrameType.READY -> {
            RunnerEvents listener = events;
            if (listener == null) {
              throw new ProtocolException("READY before LOAD");
            }
            if (loaded.complete(new LoadOutcome.Ready())) { // Else it comes too late.
              phase = Phase.READY;
              listener.ready(this);
            }
          }
          case FrameType.LOAD_FAILED ->
              loaded.complete(new LoadOutcome.Failed(ByteBufUtil.getBytes(payload)));
          case FrameType.LOG -> printed(payload);
          default -> expect(type == FrameType.PONG, type);
        }
      }
      case READY -> onCallFrame(type, flags, id, payload);
      case ENDED -> {
        return false;
      }
    }
    return true;
  }

  private void onCallFrame(byte type, byte flags, int id, ByteBuf payload)
      throws ProtocolException {
    switch (type) {
      case FrameType.RESULT -> {
        Pending pending = calls.remove(id);
        if (pending != null) {
          inFlight = calls.size();
          RunnerEvents listener = events;
          if ((flags & FrameType.FLAG_ENDING) != 0 && listener != null) {
            // Before the caller is told: who calls again at once must not get this runner.
            listener.ending(this);
          }
          pending.call().answered((flags & FrameType.FLAG_FAILED) != 0, payload);
        } else {
          // A call that was given up may still be answered; one that never was may not.
          expect(id > 0 && id <= lastId, type);
        }
      }
      case FrameType.LOG -> {
        Pending pending = calls.get(id);
        if (pending != null) {
          pending.call().logged((flags & FrameType.FLAG_STDERR) != 0, payload);
        } else {
          printed(payload);
        }
      }
      case FrameType.PONG -> pinged = false;
      default -> expect(false, type);
    }
  }

  private void printed(ByteBuf payload) {
    stray.add(payload);
  }

  private static void expect(boolean allowed, byte type) throws ProtocolException {
    if (!allowed) {
      throw new ProtocolException("frame of type " + type + " is not allowed here");
    }
  }

  /// Ends the connection and tells who has to know.
  private void lose(String reason, String message) {
    if (phase == Phase.ENDED) {
      return;
    }
    boolean wasReady = phase == Phase.READY;
    if (phase == Phase.LOADING && events != null && reason.equals(EXITED)) {
      loaded.complete(new LoadOutcome.Ended());
    }
    List<RunnerCall> pending = new ArrayList<>();
    Collection<Pending> values = calls.values();
    values.forEach(call -> pending.add(call.call()));
    calls.clear();
    inFlight = 0;
    end(new RunnerException(message));
    RunnerEvents listener = events;
    if (wasReady && listener != null) {
      LOG.info("{}; {} calls in flight", message, pending.size());
      listener.lost(this, reason, pending);
    }
  }

  private void end(RunnerException why) {
    phase = Phase.ENDED;
    ScheduledFuture<?> armed = timer;
    if (armed != null) {
      armed.cancel(false);
    }
    frames.close();
    ByteBuf unsent = batch;
    batch = null;
    if (unsent != null) {
      unsent.release();
    }
    greeted.completeExceptionally(why);
    loaded.completeExceptionally(why);
    channel.close();
  }

  private <T> T await(CompletableFuture<T> event, Duration wait, String frame) {
    try {
      return event.get(wait.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException _) {
      return giveUp(event, "no " + frame + " in " + wait.toMillis() + "ms");
    } catch (ExecutionException e) {
      throw RunnerException.of(e);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return giveUp(event, "interrupted while waiting for " + frame);
    }
  }

  /// Fails, unless it happened just now: then the loop has acted on it already.
  private <T> T giveUp(CompletableFuture<T> event, String why) {
    event.completeExceptionally(new RunnerException(slot + ": " + why));
    try {
      return event.join();
    } catch (CompletionException e) {
      throw RunnerException.of(e);
    }
  }

  private final class Inbound extends ChannelInboundHandlerAdapter {
    private final FrameReader.Sink sink = RunnerConnection.this::onFrame;

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
      ByteBuf bytes = (ByteBuf) message;
      lastHeard = nanoTime.getAsLong();
      try {
        frames.read(bytes, sink);
      } catch (ProtocolException e) {
        lose("protocol-error", slot + ": " + e.getMessage());
      } finally {
        bytes.release();
      }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
      lose(EXITED, slot + ": runner ended");
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
      if (!(cause instanceof IOException)) {
        LOG.error("{}: runner connection failed", slot, cause);
      }
      lose(EXITED, slot + ": " + cause.getMessage());
    }
  }
}
