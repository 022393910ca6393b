package io.easyfaas.controller.runtime;

import io.easyfaas.common.wire.FrameType;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOutboundBuffer;
import org.jspecify.annotations.Nullable;

/// Writes frames to one runner. Confined to the channel's event loop.
///
/// Frames of one turn of the loop are put together in one buffer and sent by one system call, see
/// {@link FlushQueue}. Only large payloads travel as buffers of their own.
@SuppressWarnings("FutureReturnValueIgnored") // A failed write closes the channel.
final class FrameWriter implements FlushQueue.Source {
  private static final int FIRST_BATCH_BYTES = 4 * 1024;
  private static final int MAX_BATCH_BYTES = 64 * 1024;
  // Copying so much is cheaper than one more buffer in the system call.
  private static final int MAX_COPIED_BYTES = 8 * 1024;

  private final Channel channel;
  private final FlushQueue flushes;
  private @Nullable ByteBuf batch;
  private byte lastType;
  private boolean flushQueued;

  FrameWriter(Channel channel, FlushQueue flushes) {
    this.channel = channel;
    this.flushes = flushes;
  }

  /// Where buffers of this channel come from.
  ByteBufAllocator allocator() {
    return channel.alloc();
  }

  /// Begins a frame in this turn's batch; the caller writes exactly `payloadBytes` to what is
  /// returned before it begins another.
  ///
  /// @throws OutOfMemoryError when there is no memory for all of it; nothing was written then
  ByteBuf begin(byte type, int id, int payloadBytes) {
    return begin(type, 0, id, payloadBytes, 0);
  }

  /// The same for a frame with flags whose last bytes, so many of its payload, come by {@link
  /// #append}.
  ByteBuf begin(byte type, int flags, int id, int payloadBytes, int lastBytes) {
    ByteBuf open = batch;
    if (open != null && open.readableBytes() > MAX_BATCH_BYTES) {
      batch = null;
      channel.write(open, channel.voidPromise());
      open = null;
    }
    if (open == null) {
      open = channel.alloc().directBuffer(FIRST_BATCH_BYTES);
      batch = open;
    }
    lastType = type;
    int apart = lastBytes > MAX_COPIED_BYTES ? lastBytes : 0;
    // A frame is written whole or not at all: what a runner reads after half of one is garbage.
    open.ensureWritable(FrameType.HEADER_BYTES + payloadBytes - apart);
    if (!flushQueued) {
      flushQueued = true;
      flushes.add(this);
    }
    return open.writeInt(FrameType.COUNTED_HEADER_BYTES + payloadBytes)
        .writeInt(type << 24 | flags << 16)
        .writeInt(id);
  }

  /// Ends the frame that was begun with its last bytes, whose ownership passes. There is room.
  void append(ByteBuf last) {
    ByteBuf open = batch;
    if (open == null) {
      throw new IllegalStateException("no frame was begun");
    }
    int size = last.readableBytes();
    if (size <= MAX_COPIED_BYTES) {
      open.writeBytes(last, last.readerIndex(), size);
      last.release();
    } else {
      // The batch so far goes first; what is large follows as it came.
      batch = null;
      channel.write(open, channel.voidPromise());
      channel.write(last, channel.voidPromise());
    }
  }

  /// What the frame was that was begun last.
  byte lastType() {
    return lastType;
  }

  /// Bytes that were handed to the channel and that the kernel has not taken.
  long unsentBytes() {
    ChannelOutboundBuffer unsent = channel.unsafe().outboundBuffer();
    return unsent == null ? 0 : unsent.totalPendingWriteBytes();
  }

  /// Sends everything now, without waiting for the end of the turn.
  void flushNow() {
    ByteBuf written = batch;
    batch = null;
    if (written != null) {
      channel.writeAndFlush(written, channel.voidPromise());
    }
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

  /// Gives up what this turn has written. Safe to call twice.
  void close() {
    ByteBuf unsent = batch;
    batch = null;
    if (unsent != null) {
      unsent.release();
    }
  }
}
