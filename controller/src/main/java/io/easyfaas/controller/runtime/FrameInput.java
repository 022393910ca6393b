package io.easyfaas.controller.runtime;

import io.easyfaas.common.budget.ByteBudget;
import io.easyfaas.common.budget.ByteKind;
import io.easyfaas.common.budget.Reservation;
import io.easyfaas.common.http.OwnedBytes;
import io.easyfaas.common.wire.FrameType;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.unix.Errors;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Reads frames from one runner and hands them on. Confined to the channel's event loop.
///
/// Two kinds of trouble are kept apart: the runner's, which ends it, and the engine's own, which
/// must not. When there is no memory for a frame, its bytes are kept and read again a little later;
/// when handling one fails, that frame is the only one that suffers.
///
/// A frame of more than 64 KiB is collected when the engine's account has room for all of it, see
/// {@link FrameRoom}; its payload carries that reservation. Until then the runner is not read. A
/// frame that gets no room in time, or that nobody waits for any more, is dropped as it comes.
final class FrameInput extends ChannelInboundHandlerAdapter
    implements PrintBudget.Source, FrameRoom.Listener {
  private static final Logger LOG = LoggerFactory.getLogger(FrameInput.class);

  /// Who hears of it.
  interface Owner {
    /// Bytes have come; their frames follow.
    void heard();

    /// One frame, see {@link FrameReader.Sink}.
    boolean frame(byte type, byte flags, int id, ByteBuf payload) throws ProtocolException;

    /// Whether somebody still waits for an answer: asked before a large one is collected.
    boolean isAwaited(int id);

    /// Whether a part of an answer is wanted: asked before a large one is collected.
    ///
    /// @param length of its payload, in bytes
    /// @throws ProtocolException when the runner may not send it
    boolean takesChunk(byte flags, int id, int length) throws ProtocolException;

    /// A frame is dropped.
    ///
    /// @param length of its payload, in bytes
    /// @param why there was no room for it
    void refused(byte type, byte flags, int id, int length, String why) throws ProtocolException;

    /// All frames of what was read have been handed on.
    void readAll();

    /// What came is not what protocol.md allows.
    void brokeProtocol(String how);

    /// The connection is gone.
    ///
    /// @param isReset whether something that was sent was never read, or could not be sent, which
    ///   the kernel says so (ECONNRESET and EPIPE, see `unix_release_sock` in af_unix.c)
    void ended(String how, boolean isReset);
  }

  private final String slot;
  private final Channel channel;
  private final PrintBudget budget;
  private final Owner owner;
  private final FrameRoom room;
  private final FrameReader frames;
  private @Nullable ByteBuf unread;
  private @Nullable Held held;
  private @Nullable Future<?> catchingUp;

  /// The frame that waits for room.
  private record Held(byte type, byte flags, int id, int length) {}

  /// @param bytes the account that large frames have their room from
  FrameInput(String slot, Channel channel, PrintBudget budget, ByteBudget bytes, Owner owner) {
    this.slot = slot;
    this.channel = channel;
    this.budget = budget;
    this.owner = owner;
    this.room = new FrameRoom(channel.eventLoop(), bytes, this);
    this.frames = new FrameReader(channel.alloc(), this::memory);
    budget.add(this);
  }

  /// Whose frames they are from now on.
  void belongsTo(String account) {
    room.belongsTo(account);
  }

  /// Whether what the runner says is not heard, because a frame of it waits for room or did so: it
  /// has as long again to come.
  boolean isHeldUp() {
    return room.isAwaited() || catchingUp != null;
  }

  /// Whether everything that was read was whole frames.
  boolean isBetweenFrames() {
    return frames.isBetweenFrames();
  }

  /// Gives up what was read. Safe to call twice.
  void close() {
    frames.close();
    room.close();
    caughtUp();
    ByteBuf kept = unread;
    unread = null;
    if (kept != null) {
      kept.release();
    }
  }

  @Override
  public void reading(boolean on) {
    if (on && !room.isAwaited()) {
      readKept();
    }
    mayRead();
  }

  @Override
  @SuppressWarnings("FutureReturnValueIgnored") // It is kept.
  public void room() {
    caughtUp();
    catchingUp =
        channel
            .eventLoop()
            .schedule(() -> catchingUp = null, FrameRoom.PATIENCE_NANOS, TimeUnit.NANOSECONDS);
    goOn();
  }

  private void caughtUp() {
    Future<?> timer = catchingUp;
    if (timer != null) {
      catchingUp = null;
      timer.cancel(false);
    }
  }

  private void goOn() {
    if (!budget.isPaused()) {
      readKept();
      mayRead();
    }
  }

  @Override
  public void noRoom(String shortage) {
    Held refused = held;
    if (refused == null) {
      return;
    }
    LOG.debug("{}: {}", slot, shortage); // It is counted, and told to whoever waits.
    try {
      refuse(refused, shortage);
    } catch (ProtocolException e) {
      owner.brokeProtocol(String.valueOf(e.getMessage()));
      return;
    }
    goOn();
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    ByteBuf bytes = (ByteBuf) message;
    ByteBuf kept = unread;
    if (kept == null) {
      read(bytes);
    } else { // The kernel has said that these are the runner's last.
      keep(Unpooled.wrappedBuffer(kept, bytes));
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    owner.ended("runner ended", false);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    if (cause instanceof IOException) {
      boolean isReset =
          cause instanceof Errors.NativeIoException failure
              && (failure.expectedErr() == Errors.ERRNO_ECONNRESET_NEGATIVE
                  || failure.expectedErr() == Errors.ERRNO_EPIPE_NEGATIVE);
      owner.ended(String.valueOf(cause.getMessage()), isReset);
    } else if (cause instanceof FrameBuffers.OutOfMemory) {
      LOG.warn("{}: no memory to read into: {}", slot, cause.getMessage());
      budget.pauseForMemory();
    } else {
      LOG.error("{}: the engine failed", slot, cause); // The runner is not to blame.
    }
  }

  private void mayRead() {
    channel.config().setAutoRead(!budget.isPaused() && !room.isAwaited());
  }

  private void readKept() {
    ByteBuf kept = unread;
    if (kept != null) {
      unread = null;
      read(kept);
    }
  }

  private void read(ByteBuf bytes) {
    owner.heard();
    try {
      frames.read(bytes, this::handOn);
    } catch (ProtocolException e) {
      bytes.release();
      owner.brokeProtocol(String.valueOf(e.getMessage()));
      return;
    } catch (OutOfMemoryError e) {
      LOG.warn("{}: no memory for a frame: {}", slot, e.getMessage());
      keep(bytes);
      budget.pauseForMemory();
      return;
    }
    if (room.isAwaited()) {
      keep(bytes);
      mayRead();
      return;
    }
    bytes.release();
    owner.readAll();
  }

  /// Keeps what is left on the heap: what it was read into may be the loop's own reserve.
  private void keep(ByteBuf bytes) {
    try {
      unread = Unpooled.wrappedBuffer(ByteBufUtil.getBytes(bytes));
    } finally {
      bytes.release();
    }
  }

  private @Nullable ByteBuf memory(byte type, byte flags, int id, int length)
      throws ProtocolException {
    if (type == FrameType.CHUNK) {
      if (owner.takesChunk(flags, id, length)) { // So the runner had credit for it.
        return channel.alloc().directBuffer(length, length);
      }
      frames.skip();
      return null;
    }
    if (type != FrameType.RESULT && type != FrameType.LOG && type != FrameType.LOAD_FAILED) {
      throw new ProtocolException("frame of type " + type + " of " + length + " bytes");
    }
    held = null;
    Held frame = new Held(type, flags, id, length);
    boolean isAnswer = type == FrameType.RESULT;
    if (isAnswer && !owner.isAwaited(id)) {
      refuse(frame, "nobody waits for the answer");
      return null;
    }
    Reservation reserved = room.ask(isAnswer ? ByteKind.ANSWER : ByteKind.OUTPUT, length);
    if (reserved == null) {
      held = frame;
      return null;
    }
    return OwnedBytes.empty(channel.alloc(), reserved, length);
  }

  private void refuse(Held frame, String why) throws ProtocolException {
    held = null;
    room.close(); // It may have been granted meanwhile.
    frames.skip();
    try {
      owner.refused(frame.type(), frame.flags(), frame.id(), frame.length(), why);
    } catch (RuntimeException | Error e) {
      LOG.error("{}: a frame of type {} could not be refused", slot, frame.type(), e);
    }
  }

  private boolean handOn(byte type, byte flags, int id, ByteBuf payload) throws ProtocolException {
    caughtUp();
    try {
      return owner.frame(type, flags, id, payload);
    } catch (RuntimeException | Error e) {
      LOG.error("{}: a frame of type {} could not be handled", slot, type, e);
      return true;
    }
  }
}
