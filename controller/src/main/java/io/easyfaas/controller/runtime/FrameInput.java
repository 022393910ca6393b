package io.easyfaas.controller.runtime;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Reads frames from one runner and hands them on. Confined to the channel's event loop.
///
/// Two kinds of trouble are kept apart: the runner's, which ends it, and the engine's own, which
/// must not. When there is no memory for a frame, its bytes are kept and read again a little later;
/// when handling one fails, that frame is the only one that suffers.
final class FrameInput extends ChannelInboundHandlerAdapter implements PrintBudget.Source {
  private static final Logger LOG = LoggerFactory.getLogger(FrameInput.class);

  /// Who hears of it.
  interface Owner {
    /// Bytes have come; their frames follow.
    void heard();

    /// One frame, see {@link FrameReader.Sink}.
    boolean frame(byte type, byte flags, int id, ByteBuf payload) throws ProtocolException;

    /// All frames of what was read have been handed on.
    void readAll();

    /// What came is not what protocol.md allows.
    void brokeProtocol(String how);

    /// The connection is gone.
    void ended(String how);
  }

  private final String slot;
  private final Channel channel;
  private final PrintBudget budget;
  private final Owner owner;
  private final FrameReader frames;
  private @Nullable ByteBuf unread;

  FrameInput(String slot, Channel channel, PrintBudget budget, Owner owner) {
    this.slot = slot;
    this.channel = channel;
    this.budget = budget;
    this.owner = owner;
    this.frames = new FrameReader(channel.alloc());
    budget.add(this);
  }

  /// Whether everything that was read was whole frames.
  boolean isBetweenFrames() {
    return frames.isBetweenFrames();
  }

  /// Gives up what was read. Safe to call twice.
  void close() {
    frames.close();
    ByteBuf kept = unread;
    unread = null;
    if (kept != null) {
      kept.release();
    }
  }

  @Override
  public void reading(boolean on) {
    ByteBuf kept = unread;
    if (on && kept != null) {
      unread = null;
      read(kept);
    }
    channel.config().setAutoRead(!budget.isPaused());
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    read((ByteBuf) message);
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    owner.ended("runner ended");
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    if (cause instanceof IOException) {
      owner.ended(String.valueOf(cause.getMessage()));
    } else if (cause instanceof FrameBuffers.OutOfMemory) {
      LOG.warn("{}: no memory to read into: {}", slot, cause.getMessage());
      budget.pauseForMemory();
    } else {
      LOG.error("{}: the engine failed", slot, cause); // The runner is not to blame.
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
      unread = bytes;
      budget.pauseForMemory();
      return;
    }
    bytes.release();
    owner.readAll();
  }

  private boolean handOn(byte type, byte flags, int id, ByteBuf payload) throws ProtocolException {
    try {
      return owner.frame(type, flags, id, payload);
    } catch (RuntimeException | OutOfMemoryError e) {
      LOG.error("{}: a frame of type {} could not be handled", slot, type, e);
      return true;
    }
  }
}
